//! A visibility starts with `pub`.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    #[property(default, vis = private)]
    notes: Property<String>,
}

fn main() {}
