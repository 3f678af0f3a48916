//! The initialiser is called later, not here.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    #[property(init = String::new())]
    notes: Property<String>,
    #[property(init = String::with_capacity(8))]
    title: Property<String>,
    #[property(async_init = async { String::new() })]
    index: Property<String>,
}

fn main() {}
