//! The cell is the outermost type.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    notes: Option<Property<String>>,
}

fn main() {}
