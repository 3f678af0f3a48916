//! There is one context to give it.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    #[property(init = |cx, state| String::new())]
    notes: Property<String>,
}

fn main() {}
