//! The cell determines the type of its value.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    #[property(async_init = load)]
    notes: Property<String>,
}

async fn load() -> usize {
    0
}

fn main() {}
