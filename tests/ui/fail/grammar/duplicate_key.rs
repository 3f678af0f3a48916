//! Each key once, in one attribute or in several.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
#[session(name = "a", name = "b")]
struct Set {
    #[property(default, close = drop, close = drop)]
    notes: Property<String>,
    #[property(default, vis = pub)]
    #[property(vis = pub(crate))]
    title: Property<String>,
}

fn main() {}
