//! The cell determines the type of its value.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    #[property(async_init = async |_| 5.5)]
    notes: Property<String>,
}

fn main() {}
