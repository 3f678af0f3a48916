//! There is one context.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    #[property(init = |cx, state| String::new())]
    notes: Property<String>,
}

fn main() {}
