//! Each attribute has its place.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
#[property(default)]
struct Set {
    #[session(default)]
    notes: Property<String>,
}

fn main() {}
