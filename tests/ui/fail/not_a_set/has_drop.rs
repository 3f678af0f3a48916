//! A set is dropped wherever its session ends, so it has no destructor.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    #[property(default)]
    count: Property<u32>,
}

impl Drop for Set {
    fn drop(&mut self) {}
}

fn main() {}
