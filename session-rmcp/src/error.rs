//! Errors of sessions and properties, as errors of tools.

use std::error::Error;

use rmcp::ErrorData;

/// Turns the error of an accessor, or any other, into the error of a tool, an internal one, whose message has the
/// causes: `.map_err(tool_error)?`. The client sees all of it. Whether the model does is up to the client. For errors that
/// it can do something about, a tool returns `Result<_, String>`.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use session_core::{LocalSession, PropertyKey, SessionManager};
/// use session_rmcp::tool_error;
///
/// const PORT: PropertyKey<u16> = PropertyKey::new("port");
/// # let sessions = SessionManager::builder().build()?;
/// # let session = sessions.create()?;
/// let error = session.properties().get_or_try_init(&PORT, || "x".parse()).unwrap_err();
/// let error = tool_error(error);
/// assert_eq!(error.message, "the property's initializer failed: invalid digit found in string");
/// # Ok(()) }
/// ```
pub fn tool_error(error: impl Error + 'static) -> ErrorData {
    let mut message = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        message += ": ";
        message += &error.to_string();
        cause = error.source();
    }
    ErrorData::internal_error(message, None)
}
