//! It takes nothing or the context.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    #[property(init = load)]
    notes: Property<String>,
}

fn load(capacity: usize) -> String {
    String::with_capacity(capacity)
}

fn main() {}
