//! A choice is a bare word.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
#[session(scope = "group")]
struct Set {
    #[property(default)]
    notes: Property<String>,
}

fn main() {}
