//! What takes time has a key of its own.

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
