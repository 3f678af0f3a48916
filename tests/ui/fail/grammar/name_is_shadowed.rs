//! Through `Props` some names would never reach the set.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    #[property(default)]
    clone: Property<String>,
    #[property(default)]
    r#into: Property<String>,
}

fn main() {}
