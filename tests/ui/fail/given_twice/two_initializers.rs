//! A value has one initializer.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    #[property(default, try_init = load)]
    notes: Property<String>,
}

fn load() -> Result<String, String> {
    Ok(String::new())
}

fn main() {}
