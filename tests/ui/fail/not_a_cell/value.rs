//! A value needs a cell around it.

use session_core::SessionProperties;

#[derive(SessionProperties)]
struct Set {
    notes: String,
}

fn main() {}
