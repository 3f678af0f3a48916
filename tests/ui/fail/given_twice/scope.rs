//! A set has one scope.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
#[session(scope = group, scope = session)]
struct Set {
    #[property(default)]
    notes: Property<String>,
}

fn main() {}
