//! The derive has no such argument to pass.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    #[property(init = load)]
    notes: Property<String>,
}

fn load(_: usize) -> String {
    String::new()
}

fn main() {}
