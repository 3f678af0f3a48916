//! Keys of the struct are not keys of a field, and the reverse.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
#[session(close = drop)]
struct Set {
    #[property(default, scope = group)]
    notes: Property<String>,
}

fn main() {}
