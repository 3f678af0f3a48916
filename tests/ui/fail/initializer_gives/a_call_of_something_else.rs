//! A path is called with the context, if it takes one argument.

use std::sync::Mutex;

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    #[property(init = Mutex::new)]
    count: Property<Mutex<u8>>,
}

fn main() {}
