//! A set lives in sessions, unless it says otherwise.

use session_core::{LocalSession as _, Property, SessionGroup, SessionProperties};

#[derive(SessionProperties)]
struct Desk {
    #[property(default)]
    notes: Property<String>,
}

fn desk(group: &SessionGroup) {
    group.props::<Desk>().unwrap();
}

fn main() {}
