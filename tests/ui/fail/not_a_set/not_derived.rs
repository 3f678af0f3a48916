//! A session has only sets.

use session_core::{LocalSession as _, Property, Session};

struct Notes {
    text: Property<String>,
}

fn notes(session: &Session) {
    session.props::<Notes>().unwrap();
}

fn main() {}
