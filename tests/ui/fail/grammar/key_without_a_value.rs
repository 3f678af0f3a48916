//! All keys but `default` take a value.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
#[session(scope, state =, crate)]
struct Set {
    #[property(init)]
    notes: Property<String>,
    #[property(default, close =, name, vis)]
    title: Property<String>,
    #[property(try_async_init(load))]
    index: Property<String>,
}

fn main() {}
