//! The cell determines the type of its value.

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
