//! The initializer runs before its set can be used.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    #[property(init = || self.title().unwrap().len())]
    notes: Property<String>,
}

fn main() {}
