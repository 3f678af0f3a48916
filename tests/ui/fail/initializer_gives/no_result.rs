//! A fallible initializer returns a `Result`.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    #[property(try_init = String::new)]
    notes: Property<String>,
}

fn main() {}
