//! The set says which state its initialisers see.

use session_core::{InitContext, Property, SessionProperties};

struct App;

#[derive(SessionProperties)]
struct Set {
    #[property(init = load)]
    notes: Property<String>,
    #[property(init = |cx| cx.title())]
    title: Property<String>,
}

fn load(_: &InitContext<App>) -> String {
    String::new()
}

fn main() {}
