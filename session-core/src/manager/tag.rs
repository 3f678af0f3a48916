//! The change of a manager's tag.

use crate::id::node_tag::NodeTag;
use crate::life::cause::CompletionCause;
use crate::manager::SessionManager;
use crate::sessions::session::Session;

impl SessionManager {
    /// Sets the tag of the ids that are created from now on, and ends the active sessions whose ids have another, with
    /// [`CompletionCause::OwnershipLost`]. Returns the number of sessions that this call has ended.
    ///
    /// This is for processes that serve as one, each under a tag of its own: see [`NodeTag`]. Until the
    /// first call no session ends for its tag. That call ends those that were created before it, so set the first tag
    /// before the first session, and a new one when the process is
    /// no longer the owner of the old one.
    ///
    /// A session that is being created, or changes its id, at the same time also has the new tag, or ends before that
    /// call returns. Ids that are [superseded](crate::NotLive::Superseded) stay so for their time, and groups may linger.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use session_core::{CompletionCause, LocalSession, NodeTag, SessionManager};
    ///
    /// let sessions = SessionManager::builder().build()?;
    /// let tag = NodeTag::random();
    /// sessions.set_tag(tag);
    /// let session = sessions.create()?;
    /// assert_eq!(session.id().tag(), tag);
    ///
    /// let new = NodeTag::random();
    /// # let new = if new == tag { NodeTag::random() } else { new };
    /// assert_eq!(sessions.set_tag(new), 1);
    /// assert_eq!(session.completion_cause(), Some(CompletionCause::OwnershipLost));
    /// # Ok(()) }
    /// ```
    pub fn set_tag(&self, tag: NodeTag) -> usize {
        let set = &self.0.sessions.tag;
        set.set(tag);
        let lost = |session: &Session| {
            // The tag of this moment, because another call may have set a later one.
            set.is_not_of(&session.id()) && session.complete(CompletionCause::OwnershipLost)
        };
        self.sessions().into_iter().filter(lost).count()
    }
}
