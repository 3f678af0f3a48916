//! Code is not text.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    #[property(init = "String::new")]
    notes: Property<String>,
}

fn main() {}
