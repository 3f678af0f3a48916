//! There are two places to live in.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
#[session(scope = request)]
struct Set {
    #[property(default)]
    notes: Property<String>,
}

fn main() {}
