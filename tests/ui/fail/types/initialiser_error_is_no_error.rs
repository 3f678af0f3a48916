//! It can be put into a `Box<dyn Error + Send + Sync>`.

use session_core::{Property, SessionProperties};

struct Trouble;

#[derive(SessionProperties)]
struct Set {
    #[property(try_init = load)]
    notes: Property<String>,
}

fn load() -> Result<String, Trouble> {
    Err(Trouble)
}

fn main() {}
