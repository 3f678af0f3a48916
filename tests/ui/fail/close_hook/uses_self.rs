//! The set is dropped before its hooks run.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    #[property(default, close = |notes| self.archive(notes))]
    notes: Property<String>,
}

fn main() {}
