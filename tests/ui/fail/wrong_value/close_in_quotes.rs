//! Code is not text.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    #[property(default, close = "drop")]
    notes: Property<String>,
}

fn main() {}
