//! Which name?

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    #[property(default, name =)]
    notes: Property<String>,
}

fn main() {}
