//! The hook has another name.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    #[property(default, on_close = drop)]
    notes: Property<String>,
}

fn main() {}
