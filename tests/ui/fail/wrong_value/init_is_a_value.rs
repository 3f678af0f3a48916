//! An initializer is code that runs later.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    #[property(init = 5)]
    notes: Property<String>,
}

fn main() {}
