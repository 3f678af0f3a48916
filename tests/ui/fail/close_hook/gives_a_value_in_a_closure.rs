//! No caller is left to take the result.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    #[property(default, close = |notes| notes.len())]
    notes: Property<String>,
}

fn main() {}
