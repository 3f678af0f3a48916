//! A field that only uses a parameter is not a property.

use std::marker::PhantomData;

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set<T: Send + Sync + 'static> {
    #[property(default)]
    notes: Property<String>,
    #[property(default)]
    marker: PhantomData<T>,
}

fn main() {}
