//! There are two scopes.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
#[session(scope = request)]
struct Set {
    #[property(default)]
    notes: Property<String>,
}

fn main() {}
