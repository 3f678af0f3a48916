//! Each property is closed by itself.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
#[session(close = drop)]
struct Set {
    #[property(default)]
    notes: Property<String>,
}

fn main() {}
