//! Keys are in parentheses.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
#[session = "group"]
struct Set {
    notes: Property<String>,
}

fn main() {}
