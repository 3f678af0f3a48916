//! The key of a live session.

use session_core::SessionKey;
use tower_sessions::session::Id;

/// Returns the key under which the manager has the live session of the visitor with this id, for tests and for
/// the code of administrators: [`get_keyed`](session_core::SessionManager::get_keyed) returns the live session.
///
/// The key is as secret as the id is. It says nothing about the record: that is checked when a request brings the id.
///
/// ```
/// use session_core::{LocalSession as _, SessionManager};
/// use session_tower_sessions::key;
/// use tower_sessions::session::Id;
///
/// /// Ends the live session of a record that an administrator has deleted.
/// fn end(sessions: &SessionManager, record: Id) {
///     if let Ok(session) = sessions.get_keyed(&key(record)) {
///         session.terminate_because("deleted by an administrator");
///     }
/// }
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let sessions = SessionManager::builder().build()?;
/// # let entry = sessions.enter_or_create_keyed(&key(Id(7)))?;
/// # end(&sessions, Id(7));
/// # assert!(entry.request.session().is_completed());
/// # Ok(()) }
/// ```
#[expect(clippy::missing_panics_doc, reason = "an id is never empty")]
pub fn key(id: Id) -> SessionKey {
    SessionKey::new(id.0.to_le_bytes()).expect("an id is not empty")
}
