//! A future is not created before it is needed.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    #[property(async_init = async { String::new() })]
    notes: Property<String>,
}

fn main() {}
