//! `?` alone does not tell which error it turns others into.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    #[property(try_init = || Ok("8".parse::<u8>()?))]
    count: Property<u8>,
}

fn main() {}
