//! A name is text, whatever it says.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    #[property(default, name = 5)]
    notes: Property<String>,
}

fn main() {}
