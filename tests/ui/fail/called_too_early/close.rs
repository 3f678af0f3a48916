//! The hook is named, not called.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    #[property(default, close = drop(notes))]
    notes: Property<String>,
}

fn main() {}
