//! The default is that of the type.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    #[property(default = String::new)]
    notes: Property<String>,
}

fn main() {}
