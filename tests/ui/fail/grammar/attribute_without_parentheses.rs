//! Keys stand in parentheses.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
#[session = "group"]
struct Set {
    #[property[default]]
    notes: Property<String>,
}

fn main() {}
