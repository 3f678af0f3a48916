//! The report of a cleanup.

use std::fmt;
use std::sync::Arc;

use crate::values::about::About;

/// The outcome of a session's or group's cleanup.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use session_core::{LocalSession, PropertyKey, SessionManager};
///
/// const LOG: PropertyKey<Vec<String>> = PropertyKey::new("log");
/// let sessions = SessionManager::builder().build()?;
/// let session = sessions.create()?;
/// session.properties().insert_with(&LOG, vec![], |_log: Vec<String>| Err::<(), _>("disk full"))?;
/// session.terminate();
/// let report = session.cleanup_completed().await;
/// assert_eq!(report.closed(), 1);
/// assert_eq!(report.problems()[0].name(), "log");
/// assert_eq!(report.problems()[0].to_string(), "`log` (alloc::vec::Vec<alloc::string::String>): failed: \"disk full\"");
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default)]
pub struct CleanupReport(Option<Arc<Findings>>);

#[derive(Debug, Default)]
pub(crate) struct Findings {
    pub(crate) closed: usize,
    pub(crate) problems: Vec<Problem>,
}

impl From<Findings> for CleanupReport {
    fn from(findings: Findings) -> Self {
        let nothing = findings.closed == 0 && findings.problems.is_empty();
        Self((!nothing).then(|| Arc::new(findings)))
    }
}

impl CleanupReport {
    /// Whether nothing was closed and nothing went wrong.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// How many values were closed: their hook ran or they were dropped, with or without trouble.
    ///
    /// Properties without a hook and without anything to drop are not counted.
    pub fn closed(&self) -> usize {
        self.0.as_ref().map_or(0, |findings| findings.closed)
    }

    /// The problems, in the order in which they were found.
    pub fn problems(&self) -> &[Problem] {
        self.0.as_ref().map_or(&[], |findings| &findings.problems)
    }

    /// Whether nothing went wrong.
    pub fn is_clean(&self) -> bool {
        self.problems().is_empty()
    }
}

/// A problem in a cleanup: its subject, and the trouble.
#[derive(Clone, Debug)]
pub struct Problem {
    about: About,
    trouble: Trouble,
}

impl Problem {
    pub(crate) fn new(about: About, trouble: Trouble) -> Self {
        Self { about, trouble }
    }

    /// The property's name; `request`, `task`, `initializer` or `owned value` for a subject without a name.
    pub fn name(&self) -> &str {
        self.about.name()
    }

    /// The property set that it is in, if any.
    pub fn set(&self) -> Option<&'static str> {
        self.about.set()
    }

    /// The type concerned, as [`std::any::type_name`] returns it; empty for a request.
    pub fn type_name(&self) -> &'static str {
        self.about.type_name()
    }

    /// The kind of trouble.
    pub fn trouble(&self) -> &Trouble {
        &self.trouble
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.about, self.trouble)
    }
}

/// A kind of trouble that a value, task or request can have in a cleanup.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Trouble {
    /// A close hook returned this error.
    Failed(String),
    /// A destructor, hook, task or initializer panicked with this message.
    Panicked(String),
    /// A close hook took longer than the close timeout and was aborted.
    TimedOut,
    /// A task or initializer took longer than the drain timeout and was aborted, or the runtime was gone
    /// before an async close hook could end.
    Aborted,
    /// It is still held, or still inside, after all timeouts.
    StillHeld,
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(error) => write!(f, "failed: {error}"),
            Self::Panicked(message) => write!(f, "panicked: {message}"),
            Self::TimedOut => f.write_str("timed out"),
            Self::Aborted => f.write_str("aborted"),
            Self::StillHeld => f.write_str("still held"),
        }
    }
}

impl std::error::Error for Trouble {}
