//! What gives a future has a key of its own.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    #[property(init = async || String::new())]
    notes: Property<String>,
    #[property(try_init = async |cx| Ok(String::new()))]
    title: Property<String>,
}

fn main() {}
