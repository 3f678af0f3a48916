//! Sessions or groups?

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
#[session(scope)]
struct Set {
    #[property(default)]
    notes: Property<String>,
}

fn main() {}
