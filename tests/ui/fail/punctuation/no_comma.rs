//! Keys are separated by commas.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    #[property(default name = "my notes")]
    notes: Property<String>,
}

fn main() {}
