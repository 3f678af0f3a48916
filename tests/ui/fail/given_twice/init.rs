//! Also where the attribute is given twice.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    #[property(init = String::new)]
    #[property(init = String::default)]
    notes: Property<String>,
}

fn main() {}
