//! It runs before its set is of use.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    #[property(init = || self.title().unwrap().len())]
    notes: Property<String>,
}

fn main() {}
