//! All sessions see one state.

use session_core::{Property, SessionProperties};

struct App(std::rc::Rc<str>);

#[derive(SessionProperties)]
#[session(state = App)]
struct Set {
    #[property(default)]
    notes: Property<String>,
}

fn main() {}
