//! The attribute describes a field.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
#[property(default)]
struct Set {
    notes: Property<String>,
}

fn main() {}
