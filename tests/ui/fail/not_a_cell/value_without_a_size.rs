//! The value in a cell has a size.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    notes: Property<str>,
}

fn main() {}
