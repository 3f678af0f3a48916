//! Async initializers have their own key.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    #[property(init = async || String::new())]
    notes: Property<String>,
}

fn main() {}
