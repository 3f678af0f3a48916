//! A set of sessions is not asked of a group, nor the reverse.

use session_core::{LocalSession as _, Property, Session, SessionGroup, SessionProperties};

#[derive(SessionProperties)]
struct SessionSet {
    #[property(default)]
    notes: Property<String>,
}

#[derive(SessionProperties)]
#[session(scope = group)]
struct GroupSet {
    #[property(default)]
    notes: Property<String>,
}

fn ask(session: &Session, group: &SessionGroup) {
    group.props::<SessionSet>().unwrap();
    session.props::<GroupSet>().unwrap();
}

fn main() {}
