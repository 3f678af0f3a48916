//! A fallible initializer returns a `Result`.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    #[property(try_init = || 8u8)]
    count: Property<u8>,
}

fn main() {}
