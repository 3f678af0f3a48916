//! The cell determines the type of its value.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    #[property(init = load)]
    notes: Property<String>,
}

fn load() -> Vec<u8> {
    Vec::new()
}

fn main() {}
