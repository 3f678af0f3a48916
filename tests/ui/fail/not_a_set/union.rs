//! A union holds one of its fields only.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
union Set {
    notes: std::mem::ManuallyDrop<Property<String>>,
}

fn main() {}
