//! Accessors need names.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set(Property<String>);

fn main() {}
