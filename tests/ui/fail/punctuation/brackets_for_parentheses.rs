//! Keys are in parentheses.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    #[property[default]]
    notes: Property<String>,
}

fn main() {}
