//! The public interface that sessions and groups share.

use std::borrow::Cow;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::error::{PropsError, Refused, SessionEnded};
use crate::life::cause::{CompletionCause, Ending};
use crate::life::owned::{self, Owned};
use crate::life::owner::AsOwner;
use crate::life::signal::CleanupCompleted;
use crate::properties::dictionary::Properties;
use crate::properties::props::{self, Props};
use crate::properties::set::LivesIn;
use crate::sessions::group::SessionGroup;
use crate::sessions::session::Session;
use crate::sync::runtime::JoinHandle;

/// A session or a session group. It holds properties, and it ends.
///
/// `Active -> Completed -> CleanedUp`, never back. Completion is one step: from then on the properties are
/// read-only and the token is cancelled. Cleanup follows: owned values are dropped, requests and tasks drain,
/// the properties are closed in the reverse of the order in which they were published.
///
/// Sealed: [`Session`] and [`SessionGroup`] implement it.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use session_core::{LocalSession, PropertyKey, SessionManager};
///
/// const SEARCHES: PropertyKey<Vec<&str>> = PropertyKey::new("searches");
/// let sessions = SessionManager::builder().build()?;
/// let session = sessions.create()?;
/// session.properties().get_or_init(&SEARCHES, || vec!["rust"])?;
///
/// session.terminate();
/// assert!(session.completion_token().is_cancelled());
/// assert!(session.properties().is_read_only());
/// assert_eq!(session.cleanup_completed().await.closed(), 1);
/// # Ok(()) }
/// ```
pub trait LocalSession: AsOwner {
    /// Returns the dictionary: its properties by key.
    fn properties(&self) -> Properties<'_> {
        Properties::new(self.as_owner())
    }

    /// Returns its property set of this type, created on first use.
    ///
    /// # Errors
    ///
    /// [`PropsError::SessionEnded`] if it has completed and the set does not exist;
    /// [`PropsError::MissingState`] if the set's initializers need a state that the manager was not built with.
    fn props<P: LivesIn<Self>>(&self) -> Result<Props<P>, PropsError>
    where
        Self: Sized,
    {
        props::props(self.as_owner())
    }

    /// Takes the value and keeps it until completion. It is then dropped, last taken first, before anything else.
    ///
    /// A value that has to be reached, closed with a hook, or used while requests drain belongs in a property.
    ///
    /// # Errors
    ///
    /// On a completed session the value is handed back.
    fn take_ownership<T: Send + 'static>(&self, value: T) -> Result<Owned<T>, Refused<T>> {
        owned::take_ownership(self.as_owner(), value)
    }

    /// Spawns a task that cleanup waits for, on the manager's runtime. The task gets a token that is cancelled
    /// at completion, and is aborted after the drain timeout.
    ///
    /// # Errors
    ///
    /// [`SessionEnded`] if it has completed; `task` is not called then.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use session_core::{LocalSession, SessionManager};
    /// # let sessions = SessionManager::builder().build()?;
    /// # let session = sessions.create()?;
    /// let task = session.spawn(|token| async move {
    ///     token.cancelled().await;
    ///     "stopped in good order"
    /// })?;
    /// session.terminate();
    /// assert_eq!(task.await?, "stopped in good order");
    /// # Ok(()) }
    /// ```
    fn spawn<F, Fut>(&self, task: F) -> Result<JoinHandle<Fut::Output>, SessionEnded>
    where
        F: FnOnce(CancellationToken) -> Fut,
        Fut: Future<Output: Send> + Send + 'static,
    {
        crate::life::task::spawn(self.as_owner(), task)
    }

    /// The number that names it in events, logs, reports and `Debug`. It never changes, and no other session or group
    /// of the manager ever has it. Unlike a session's id it is not a secret, but it counts visitors, so do not show
    /// it to them.
    ///
    /// A manager's serials start at a random multiple of 2^32 below 2^53, so the logs of several processes can be
    /// merged, and JavaScript can read them.
    fn serial(&self) -> u64 {
        self.as_owner().local().serial
    }

    /// Returns a token that is cancelled at completion. Cancelling it yourself cancels nothing else: it is a child
    /// of the session's own.
    fn completion_token(&self) -> CancellationToken {
        self.as_owner().local().token()
    }

    /// Whether it has completed.
    fn is_completed(&self) -> bool {
        self.as_owner().local().is_completed()
    }

    /// The cause of its completion; `None` while it is active.
    fn completion_cause(&self) -> Option<CompletionCause> {
        self.as_owner().local().cause()
    }

    /// The reason of the [`terminate_because`](Self::terminate_because) that completed it; `None` if it completed in
    /// any other way, and while it is active. It stays after cleanup.
    fn completion_reason(&self) -> Option<Arc<str>> {
        self.as_owner().local().reason()
    }

    /// Ends it. Returns nothing and does not wait, so it can be called from anywhere: a handler, a task, a
    /// hook, an initializer of the session itself. Do not await the cleanup there: it waits for the handler to finish.
    ///
    /// A group is closed to newcomers first, then its sessions are ended; it completes when the last of these
    /// has been cleaned up.
    fn terminate(&self) {
        self.end(CompletionCause::Terminated.into());
    }

    /// Ends it as [`terminate`](Self::terminate) does, and says why in words: [`completion_reason`], the `Completed`
    /// event and the log show the reason. Keep it short, and put nothing secret in it: clients may see it.
    ///
    /// Of calls that race, only the one that completes it leaves its reason, and none does after another cause. The
    /// sessions that a group ends have the group's reason. An empty reason is none.
    ///
    /// [`completion_reason`]: Self::completion_reason
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use session_core::{LocalSession, SessionManager};
    /// # let sessions = SessionManager::builder().build()?;
    /// let session = sessions.create_in("user:42".into())?;
    /// session.group().terminate_because("the password was changed");
    /// session.terminate_because("too late");
    /// let reason = session.completion_reason();
    /// assert_eq!(reason.as_deref(), Some("the password was changed"));
    /// # Ok(()) }
    /// ```
    fn terminate_because(&self, reason: impl Into<Cow<'static, str>>) {
        self.end(Ending::because(reason));
    }

    /// Resolves to a report when cleanup has ended. Call it at any time, also before completion or after cleanup.
    fn cleanup_completed(&self) -> CleanupCompleted {
        self.as_owner().local().cleanup_completed()
    }
}

impl LocalSession for Session {}
impl LocalSession for SessionGroup {}
