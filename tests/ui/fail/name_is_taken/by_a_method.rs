//! The accessor is a method like any other.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    #[property(default)]
    notes: Property<String>,
}

impl Set {
    fn notes(&self) -> usize {
        0
    }
}

fn main() {}
