//! In a set of groups the context is a group's.

use session_core::{InitContext, Property, SessionProperties};

#[derive(SessionProperties)]
#[session(scope = group)]
struct Set {
    #[property(init = load)]
    notes: Property<String>,
}

fn load(_: &InitContext) -> String {
    String::new()
}

fn main() {}
