//! A name is text.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    #[property(default, name = my_notes)]
    notes: Property<String>,
}

fn main() {}
