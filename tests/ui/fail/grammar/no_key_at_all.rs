//! What stands in an attribute is a key.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    #[property("notes", default)]
    notes: Property<String>,
    #[property(default; name = "x")]
    title: Property<String>,
}

fn main() {}
