//! A hook takes the value, and nothing else.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    #[property(default, close = || ())]
    notes: Property<String>,
    #[property(default, close = |value, cx| ())]
    title: Property<String>,
}

fn main() {}
