//! Of which type?

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
#[session(state)]
struct Set {
    #[property(default)]
    notes: Property<String>,
}

fn main() {}
