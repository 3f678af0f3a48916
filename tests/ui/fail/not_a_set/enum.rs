//! An enum has no fields that all its values share.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
enum Set {
    Notes(Property<String>),
}

fn main() {}
