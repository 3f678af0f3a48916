//! The cell says what it holds.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    #[property(init = |_| 5)]
    notes: Property<String>,
}

fn main() {}
