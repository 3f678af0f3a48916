//! A letter is wrong.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
#[session(scpoe = group)]
struct Set {
    #[property(default)]
    notes: Property<String>,
}

fn main() {}
