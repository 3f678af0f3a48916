//! `?` alone does not determine the error type to convert to.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    #[property(try_init = || Ok("8".parse::<u8>()?))]
    count: Property<u8>,
}

fn main() {}
