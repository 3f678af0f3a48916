//! Made by what?

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    #[property(init)]
    notes: Property<String>,
}

fn main() {}
