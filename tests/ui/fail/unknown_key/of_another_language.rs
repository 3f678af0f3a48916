//! No key has this name or a similar one.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    #[property(lazy)]
    notes: Property<String>,
}

fn main() {}
