//! A type that does not exist is one error.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    #[property(default)]
    notes: Property<Notes>,
}

fn main() {}
