//! A path is not text.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
#[session(crate = "::session_core")]
struct Set {
    #[property(default)]
    notes: Property<String>,
}

fn main() {}
