//! Other properties are reached through the context.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    #[property(default)]
    notes: Property<String>,
    #[property(init = || self.notes().unwrap().len())]
    length: Property<usize>,
    #[property(default, close = |value| drop((value, self.notes.get())))]
    title: Property<String>,
    #[property(init = || self::title())]
    fine: Property<String>,
}

fn title() -> String {
    String::new()
}

fn main() {}
