//! There is no such key, nor one like it.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    #[property(lazy)]
    notes: Property<String>,
}

fn main() {}
