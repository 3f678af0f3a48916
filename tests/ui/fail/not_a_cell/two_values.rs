//! A cell holds one thing.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    notes: Property<String, u8>,
}

fn main() {}
