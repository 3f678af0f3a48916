//! A path or a closure, and nothing else.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    #[property(init = 5)]
    count: Property<u8>,
    #[property(init = { 5 })]
    total: Property<u8>,
}

fn main() {}
