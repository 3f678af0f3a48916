//! A value is closed once.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    #[property(default, close = drop, close = drop)]
    notes: Property<String>,
}

fn main() {}
