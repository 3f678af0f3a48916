//! A name with `r#` is the same name.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    r#into: Property<String>,
}

fn main() {}
