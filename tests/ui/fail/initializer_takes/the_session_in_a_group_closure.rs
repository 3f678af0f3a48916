//! A group does not belong to one session.

use session_core::{Property, SessionProperties};

#[derive(SessionProperties)]
#[session(scope = group)]
struct Set {
    #[property(init = |cx| cx.session().is_completed().to_string())]
    notes: Property<String>,
}

fn main() {}
