//! It is the same name with `r#` before it.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    r#into: Property<String>,
}

fn main() {}
