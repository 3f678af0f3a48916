//! A closure may annotate its argument.

use session_core::{InitContext, Property, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    #[property(init = |cx: &InitContext<App>| String::new())]
    notes: Property<String>,
}

struct App;

fn main() {}
