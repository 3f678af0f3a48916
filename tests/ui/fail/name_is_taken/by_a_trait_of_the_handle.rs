//! `Props` is cloned, not what is in it.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    clone: Property<String>,
}

fn main() {}
