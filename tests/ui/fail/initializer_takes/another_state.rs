//! A set has one state.

use session_core::{InitContext, Property, SessionProperties};

struct App;

struct Database;

fn load(_: &InitContext<Database>) -> String {
    String::new()
}

#[derive(SessionProperties)]
#[session(state = App)]
struct Set {
    #[property(init = load)]
    notes: Property<String>,
}

fn main() {}
