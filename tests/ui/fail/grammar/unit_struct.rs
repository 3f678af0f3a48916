//! No fields at all, and no braces.

use session_core::{SessionProperties};

#[derive(SessionProperties)]
struct Set;

fn main() {}
