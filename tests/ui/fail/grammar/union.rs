//! A union is no property set either.

use session_core::{SessionProperties};

#[derive(SessionProperties)]
union Set {
    notes: u8,
    count: u8,
}

fn main() {}
