//! Other properties are reached through the context.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    #[property(default)]
    notes: Property<String>,
    #[property(init = || self.notes().unwrap().len())]
    length: Property<usize>,
}

fn main() {}
