//! Each property has its own close hook.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
#[session(close = drop)]
struct Set {
    #[property(default)]
    notes: Property<String>,
}

fn main() {}
