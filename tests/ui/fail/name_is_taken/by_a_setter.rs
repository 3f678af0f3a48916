//! The setter of a property that is set by hand also has a name.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    user: Property<String>,
    #[property(default)]
    set_user: Property<String>,
}

fn main() {}
