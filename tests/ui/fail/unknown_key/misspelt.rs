//! A letter is wrong.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    #[property(try_asink_init = load)]
    notes: Property<String>,
}

fn main() {}
