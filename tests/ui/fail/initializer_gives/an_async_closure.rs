//! What takes time has a key of its own.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    #[property(init = async || String::new())]
    notes: Property<String>,
}

fn main() {}
