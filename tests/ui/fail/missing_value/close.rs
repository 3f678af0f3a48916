//! Closed by what?

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    #[property(default, close =)]
    notes: Property<String>,
}

fn main() {}
