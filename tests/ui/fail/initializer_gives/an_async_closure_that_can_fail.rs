//! Async initializers have their own key.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    #[property(try_init = async |cx| Ok(String::new()))]
    notes: Property<String>,
}

fn main() {}
