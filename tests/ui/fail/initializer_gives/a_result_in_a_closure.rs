//! Fallible initializers have their own key.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    #[property(init = || "8".parse::<u8>())]
    count: Property<u8>,
}

fn main() {}
