//! The context is passed by reference.

use session_core::{InitContext, Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    #[property(async_init = load)]
    notes: Property<String>,
}

async fn load(_: InitContext) -> String {
    String::new()
}

fn main() {}
