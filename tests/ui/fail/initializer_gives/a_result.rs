//! Fallible initializers have their own key.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    #[property(init = parse)]
    count: Property<u8>,
}

fn parse() -> Result<u8, std::num::ParseIntError> {
    "8".parse()
}

fn main() {}
