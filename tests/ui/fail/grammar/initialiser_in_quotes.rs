//! Code is not text.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    #[property(init = "String::new")]
    notes: Property<String>,
    #[property(default, close = "drop")]
    title: Property<String>,
}

fn main() {}
