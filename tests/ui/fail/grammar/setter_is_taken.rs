//! `set_user` belongs to `user`.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    user: Property<String>,
    #[property(default)]
    set_user: Property<String>,
}

fn main() {}
