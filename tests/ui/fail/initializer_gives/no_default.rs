//! `default` is for types that have one.

use session_core::{Property, SessionProperties};

struct Notes;

#[derive(SessionProperties)]
struct Set {
    #[property(default)]
    notes: Property<Notes>,
}

fn main() {}
