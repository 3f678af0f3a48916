//! Nobody is left to take it.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    #[property(default, close = String::into_bytes)]
    notes: Property<String>,
}

fn main() {}
