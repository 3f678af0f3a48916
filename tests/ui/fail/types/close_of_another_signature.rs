//! A hook takes the value, and gives nothing or a `Result`.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    #[property(default, close = takes_another)]
    notes: Property<String>,
    #[property(default, close = gives_another)]
    title: Property<String>,
    #[property(default, close = |title| title.len())]
    subtitle: Property<String>,
}

fn takes_another(_: u8) {}

fn gives_another(_: String) -> u8 {
    5
}

fn main() {}
