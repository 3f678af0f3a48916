//! A closure sees the state of its set.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    #[property(init = |cx| cx.state().title.clone())]
    notes: Property<String>,
}

struct App {
    title: String,
}

fn main() {}
