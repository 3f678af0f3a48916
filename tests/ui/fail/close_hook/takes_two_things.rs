//! The value is the only argument.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    #[property(default, close = |notes, cx| ())]
    notes: Property<String>,
}

fn main() {}
