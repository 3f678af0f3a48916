//! The cell determines the type of its value.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    #[property(init = |_| 5)]
    notes: Property<String>,
}

fn main() {}
