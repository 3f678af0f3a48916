//! A set has named fields, even if there are none.

use session_core::SessionProperties;

#[derive(SessionProperties)]
struct Set;

fn main() {}
