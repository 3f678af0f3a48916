//! A property set is a struct.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
enum Set {
    Notes(Property<String>),
}

fn main() {}
