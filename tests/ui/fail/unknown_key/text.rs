//! A key is a word.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    #[property("notes")]
    notes: Property<String>,
}

fn main() {}
