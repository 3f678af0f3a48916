//! The end of a session or group, awaited and checked.

use std::fmt::Write as _;

use session_core::{CleanupReport, CompletionCause, LocalSession, Session, SessionGroup};

use crate::patience::within;

/// Waits for the end of a session or group and of its cleanup, checks that it completed for this cause and that nothing
/// went wrong, and returns its [`CleanupReport`](session_core::CleanupReport).
///
/// The session is one of session-core or session-axum, or a reference to one. The macro awaits, so it is for async
/// functions.
///
/// ```
/// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use session_core::{CompletionCause, LocalSession, PropertyKey, SessionManager};
/// use session_test::assert_ended;
///
/// const LOG: PropertyKey<Vec<String>> = PropertyKey::new("log");
/// let sessions = SessionManager::builder().build()?;
/// let session = sessions.create()?;
/// session.properties().insert(&LOG, vec![])?;
/// // In paused time, the idle timeout comes at once.
/// let report = assert_ended!(session, CompletionCause::IdleTimeout);
/// assert_eq!(report.closed(), 1);
/// # Ok(()) }
/// ```
///
/// # Panics
///
/// If it ended for another cause, its cleanup had problems, or it does not end within the [limit](crate#panics).
#[macro_export]
macro_rules! assert_ended {
    ($session:expr, $cause:expr $(,)?) => {
        match &$session {
            session => {
                use $crate::__private::Ended as _;
                match session.ended($cause).await {
                    ::core::result::Result::Ok(report) => report,
                    ::core::result::Result::Err(message) => ::core::panic!("{message}"),
                }
            }
        }
    };
}

/// Implemented for sessions and groups.
pub trait Ended: LocalSession + Named + Sync {
    /// Waits for the end and for the cleanup, and checks both.
    fn ended(
        &self,
        cause: CompletionCause,
    ) -> impl Future<Output = Result<CleanupReport, String>> + Send {
        async move {
            completed(self, cause).await?;
            let report = cleaned_up(self).await?;
            if report.is_clean() {
                Ok(report)
            } else {
                Err(problems(&self.name(), &report))
            }
        }
    }
}

impl Ended for Session {}
impl Ended for SessionGroup {}

/// Waits for the completion, and checks its cause.
pub(crate) async fn completed(
    local: &(impl Ended + ?Sized),
    expected: CompletionCause,
) -> Result<(), String> {
    let (name, token) = (local.name(), local.completion_token());
    if let Err(limit) = within(token.cancelled()).await {
        let state = local.state();
        return Err(format!(
            "expected {name} to end as `{expected}`, but it is active after {limit:?}: {state}"
        ));
    }
    match local.completion_cause() {
        Some(cause) if cause != expected => {
            let reason = local.completion_reason();
            let reason = reason.map_or_else(String::new, |reason| format!(" ({reason})"));
            Err(format!(
                "expected {name} to end as `{expected}`, but it ended as `{cause}`{reason}"
            ))
        }
        _ => Ok(()),
    }
}

/// Waits for the end of a cleanup.
pub(crate) async fn cleaned_up(local: &(impl Ended + ?Sized)) -> Result<CleanupReport, String> {
    within(local.cleanup_completed()).await.map_err(|limit| {
        let (name, state) = (local.name(), local.state());
        format!("the cleanup of {name} has not ended after {limit:?}: {state}")
    })
}

/// Describes a report with problems.
pub(crate) fn problems(name: &dyn std::fmt::Display, report: &CleanupReport) -> String {
    let mut text = format!("the cleanup of {name} had problems:");
    for problem in report.problems() {
        let _ = write!(text, "\n  {problem}");
    }
    text
}

/// A session or group as messages show it.
pub trait Named {
    /// The kind and serial, and the name of a group that has one.
    fn name(&self) -> String;

    /// The activity inside, and the properties that exist.
    fn state(&self) -> String;
}

impl Named for Session {
    fn name(&self) -> String {
        format!("session {}", self.serial())
    }

    fn state(&self) -> String {
        let activity = self.activity();
        let (requests, keep_alives) = (activity.requests, activity.keep_alives);
        format!(
            "requests inside: {requests}, keep-alives: {keep_alives}{}",
            held(self)
        )
    }
}

impl Named for SessionGroup {
    fn name(&self) -> String {
        match self.id() {
            Some(id) => format!("group {id} ({})", self.serial()),
            None => format!("anonymous group {}", self.serial()),
        }
    }

    fn state(&self) -> String {
        format!("sessions: {}{}", self.sessions().len(), held(self))
    }
}

/// The properties that exist.
fn held(local: &impl LocalSession) -> String {
    use session_core::PropertyState::Absent;

    let mut text = String::new();
    for property in local.properties().list() {
        if property.state() != Absent {
            let _ = write!(text, "\n  `{}` ({})", property.name(), property.type_name());
        }
    }
    text
}
