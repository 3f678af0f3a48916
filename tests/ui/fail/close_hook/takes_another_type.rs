//! The hook takes the cell's value.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    #[property(default, close = close)]
    notes: Property<String>,
}

fn close(_: u8) {}

fn main() {}
