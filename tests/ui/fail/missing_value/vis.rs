//! Visible where?

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    #[property(default, vis =)]
    notes: Property<String>,
}

fn main() {}
