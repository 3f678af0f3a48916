//! The attribute itself is misspelt.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    #[propert(default)]
    notes: Property<String>,
}

fn main() {}
