//! A set has one scope as a whole.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    #[property(default, scope = group)]
    notes: Property<String>,
}

fn main() {}
