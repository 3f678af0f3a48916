//! A call with arguments belongs in a closure.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    #[property(try_init = String::from_utf8(Vec::new()))]
    notes: Property<String>,
}

fn main() {}
