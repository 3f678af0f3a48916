//! Async initializers have their own key.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    #[property(init = load)]
    notes: Property<String>,
}

async fn load() -> String {
    String::new()
}

fn main() {}
