//! An async initializer returns a future.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    #[property(async_init = String::new)]
    notes: Property<String>,
}

fn main() {}
