//! A group has its own context.

use session_core::{InitContext, Property, SessionProperties};

fn load(cx: &InitContext) -> String {
    drop(cx.session());
    String::new()
}

#[derive(SessionProperties)]
#[session(scope = group)]
struct Set {
    #[property(init = load)]
    notes: Property<String>,
}

fn main() {}
