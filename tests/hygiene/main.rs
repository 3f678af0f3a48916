//! The expansion of `#[derive(SessionProperties)]` in surroundings that are hard on macros, one in each module.
//! That it compiles is most of the test. That it runs shows that it means the same everywhere.

use session_core::{Session, SessionManager};

// Does the same as `renamed = { package = "session-core" }` in a manifest.
extern crate session_core as renamed;

mod another_crate_path;
mod attributes;
mod from_macro_rules;
mod generic_sets;
mod inside_functions;
mod items_in_scope;
pub mod lints;
mod no_prelude;
mod raw_identifiers;
mod shadowed_names;

/// A manager, which must be kept, and a session.
fn session() -> (SessionManager, Session) {
    let sessions = SessionManager::builder()
        .state(App { greeting: "hello" })
        .build()
        .expect("tests run in a runtime");
    let session = sessions.create().expect("there is room");
    (sessions, session)
}

/// The state of the manager.
struct App {
    greeting: &'static str,
}
