//! A clone of `Props` clones the handle, not its contents.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    clone: Property<String>,
}

fn main() {}
