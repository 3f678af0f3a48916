//! A group's set is accessed through the group.

use session_core::{LocalSession as _, Property, Session, SessionProperties};

#[derive(SessionProperties)]
#[session(scope = group)]
struct Office {
    #[property(default)]
    notes: Property<String>,
}

fn office(session: &Session) {
    session.props::<Office>().unwrap();
}

fn main() {}
