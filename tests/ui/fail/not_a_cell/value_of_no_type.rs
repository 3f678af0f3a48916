//! A type that does not exist is blamed where it stands.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    #[property(default)]
    notes: Property<Notes>,
}

fn main() {}
