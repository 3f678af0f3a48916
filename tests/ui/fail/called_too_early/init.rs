//! The initializer is named, not called.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    #[property(init = String::new())]
    notes: Property<String>,
}

fn main() {}
