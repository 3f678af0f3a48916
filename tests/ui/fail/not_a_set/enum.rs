//! An enum has no fields of its own.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
enum Set {
    Notes(Property<String>),
}

fn main() {}
