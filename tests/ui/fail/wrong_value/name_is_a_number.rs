//! A name is text, whatever its content.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    #[property(default, name = 5)]
    notes: Property<String>,
}

fn main() {}
