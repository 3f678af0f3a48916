//! A name is text.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
#[session(name = set)]
struct Set {
    #[property(default, name = the::notes)]
    notes: Property<String>,
    #[property(default, name = 5)]
    title: Property<String>,
}

fn main() {}
