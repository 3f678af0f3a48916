//! A session outlives every borrow.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set<'a> {
    #[property(default)]
    notes: Property<&'a str>,
}

fn main() {}
