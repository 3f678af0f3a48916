//! An async initializer returns a future.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    #[property(try_async_init = |_| "8".parse::<u8>())]
    count: Property<u8>,
}

fn main() {}
