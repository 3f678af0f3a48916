//! An error must convert to a boxed error.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    #[property(try_init = load)]
    notes: Property<String>,
}

struct Trouble;

fn load() -> Result<String, Trouble> {
    Err(Trouble)
}

fn main() {}
