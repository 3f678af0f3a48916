//! The hook takes the value to close.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    #[property(default, close = || ())]
    notes: Property<String>,
}

fn main() {}
