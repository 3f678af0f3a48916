//! `default` takes none.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    #[property(default = String::new)]
    notes: Property<String>,
    #[property(default(String::new))]
    title: Property<String>,
}

fn main() {}
