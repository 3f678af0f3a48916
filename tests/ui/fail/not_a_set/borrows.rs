//! Sessions outlive borrowed values.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set<'a> {
    notes: Property<&'a str>,
}

fn main() {}
