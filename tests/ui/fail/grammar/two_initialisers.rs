//! A property is made in one way.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    #[property(default, init = String::new)]
    notes: Property<String>,
    #[property(init = String::new)]
    #[property(init = String::new)]
    title: Property<String>,
}

fn main() {}
