//! A cell holds something.

use session_core::{Exclusive, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    notes: Exclusive,
}

fn main() {}
