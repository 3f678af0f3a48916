//! A cell says what is in it.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    #[property(default)]
    notes: Property<String, u8>,
}

fn main() {}
