//! A set has fields, be it none.

use session_core::SessionProperties;

#[derive(SessionProperties)]
struct Set;

fn main() {}
