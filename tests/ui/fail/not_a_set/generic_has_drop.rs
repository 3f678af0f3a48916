//! A generic set has no destructor either.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set<T: Send + Sync + 'static> {
    #[property(default)]
    values: Property<Vec<T>>,
}

impl<T: Send + Sync + 'static> Drop for Set<T> {
    fn drop(&mut self) {}
}

fn main() {}
