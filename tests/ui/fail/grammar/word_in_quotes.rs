//! A word, a type, a path and a visibility are no text.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
#[session(scope = "group", state = "App", crate = "::session_core")]
struct Set {
    #[property(default, vis = "pub")]
    notes: Property<String>,
}

fn main() {}
