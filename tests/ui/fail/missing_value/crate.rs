//! By which path?

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
#[session(crate)]
struct Set {
    #[property(default)]
    notes: Property<String>,
}

fn main() {}
