//! A type is not text.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
#[session(state = "App")]
struct Set {
    #[property(default)]
    notes: Property<String>,
}

fn main() {}
