//! There are two scopes.

use session_core::{LocalSession as _, Property, Props, PropsError, SessionGroup, SessionProperties};

#[derive(SessionProperties)]
#[session(scope = request)]
struct Set {
    #[property(default)]
    notes: Property<String>,
}

fn notes(group: &SessionGroup) -> Result<Props<Set>, PropsError> {
    group.props::<Set>()
}

fn main() {}
