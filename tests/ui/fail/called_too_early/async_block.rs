//! A future is not made before it is asked for.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    #[property(async_init = async { String::new() })]
    notes: Property<String>,
}

fn main() {}
