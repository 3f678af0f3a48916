//! The error for a type that does not exist is at the type.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    #[property(default)]
    notes: Property<Notes>,
}

fn main() {}
