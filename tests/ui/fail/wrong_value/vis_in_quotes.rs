//! A visibility is not text.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    #[property(default, vis = "pub")]
    notes: Property<String>,
}

fn main() {}
