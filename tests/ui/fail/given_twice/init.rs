//! The check also covers two attributes.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    #[property(init = String::new)]
    #[property(init = String::default)]
    notes: Property<String>,
}

fn main() {}
