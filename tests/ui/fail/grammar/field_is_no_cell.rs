//! Every field is a `Property` or an `Exclusive`.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    #[property(default)]
    notes: String,
    #[property(default)]
    maybe: Option<Property<String>>,
}

fn main() {}
