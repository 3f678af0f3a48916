//! The attribute describes the struct.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    #[session(default)]
    notes: Property<String>,
}

fn main() {}
