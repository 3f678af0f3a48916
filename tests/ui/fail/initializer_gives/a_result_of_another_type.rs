//! The cell says what it holds.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    #[property(try_init = parse)]
    notes: Property<String>,
}

fn parse() -> Result<u8, std::num::ParseIntError> {
    "8".parse()
}

fn main() {}
