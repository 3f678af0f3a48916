//! The struct has keys of its own.

use session_core::{LocalSession as _, Property, Props, PropsError, SessionGroup, SessionProperties};

#[derive(SessionProperties)]
#[session(scop = group, timeout = 5)]
struct Set {
    #[property(default)]
    notes: Property<String>,
}

fn notes(group: &SessionGroup) -> Result<Props<Set>, PropsError> {
    group.props::<Set>()
}

fn main() {}
