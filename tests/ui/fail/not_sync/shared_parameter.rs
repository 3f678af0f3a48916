//! The bounds of a set are those of its struct.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set<T: Default> {
    #[property(default)]
    notes: Property<T>,
}

fn main() {}
