//! A typo is one error: what the key was meant to be decides the accessor.

use session_core::{Property, PropertyError, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    #[property(inti = String::new)]
    notes: Property<String>,
    #[property(lazy = |a, b| String::new)]
    title: Property<String>,
    #[property(asynk_init = load)]
    index: Property<String>,
}

async fn load() -> String {
    String::new()
}

async fn length(set: &Set) -> Result<usize, PropertyError> {
    Ok(set.notes()?.len() + set.title()?.len() + set.index().await?.len())
}

fn main() {}
