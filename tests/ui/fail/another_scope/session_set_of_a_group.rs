//! A set belongs to sessions, unless it declares otherwise.

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
