//! The words are right, but not their order.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    #[property(async_try_init = load)]
    notes: Property<String>,
}

fn main() {}
