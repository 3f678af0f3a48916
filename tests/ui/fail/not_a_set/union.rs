//! A union holds only one of its fields.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
union Set {
    notes: std::mem::ManuallyDrop<Property<String>>,
}

fn main() {}
