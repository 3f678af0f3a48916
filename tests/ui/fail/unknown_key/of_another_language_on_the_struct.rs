//! No key has this name or a similar one.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
#[session(lifetime = 60)]
struct Set {
    #[property(default)]
    notes: Property<String>,
}

fn main() {}
