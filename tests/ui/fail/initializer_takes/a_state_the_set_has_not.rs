//! The set declares the state that its initializers see.

use session_core::{InitContext, Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    #[property(try_init = load)]
    notes: Property<String>,
}

struct App;

fn load(_: &InitContext<App>) -> Result<String, String> {
    Ok(String::new())
}

fn main() {}
