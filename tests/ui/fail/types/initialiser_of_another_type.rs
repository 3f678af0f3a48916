//! It gives the value of the cell.

use session_core::{Exclusive, Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    #[property(init = u8::default)]
    notes: Property<String>,
    #[property(init = || 5)]
    title: Property<String>,
    #[property(async_init = load)]
    index: Exclusive<String>,
}

async fn load() -> u8 {
    5
}

fn main() {}
