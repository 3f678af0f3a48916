//! There is no such key, nor one like it.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
#[session(lifetime = 60)]
struct Set {
    #[property(default)]
    notes: Property<String>,
}

fn main() {}
