//! The sessions of an MCP server, and their settings.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::request::Parts;
use session_core::{
    GroupId, LocalSession as _, PropertyRef, RequestGuard, SessionId, SessionManager,
};

use crate::conversation::{CONVERSATION, Conversation};

type OwnerOf = Arc<dyn Fn(&Parts) -> Option<GroupId> + Send + Sync>;

/// The sessions and handles of an MCP server: rmcp's session manager, on a
/// [`SessionManager`] that the application has built.
///
/// Timeouts and bounds are those of the `SessionManager`. A session of the protocol is a session there, and so is a
/// [handle](crate::Handle); one manager may serve both, and a web application beside them.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use session_core::{SessionManager, WhenFull};
/// use session_rmcp::LiveSessions;
/// use std::time::Duration;
///
/// let sessions = SessionManager::builder()
///     .idle_timeout(Duration::from_secs(20 * 60))
///     .max_sessions(10_000, WhenFull::Reject)
///     .max_sessions_per_group(20, WhenFull::Reject) // for each owner
///     .build()?;
/// let live = LiveSessions::new(sessions)
///     .with_owner(|head| Some(head.headers.get("x-user")?.to_str().ok()?.into()))
///     .with_init_timeout(Duration::from_secs(10));
/// # drop(live); Ok(()) }
/// ```
#[derive(Clone)]
pub struct LiveSessions {
    sessions: SessionManager,
    owner: Option<OwnerOf>,
    init_timeout: Duration,
    /// How long a client is told to wait before it reconnects; `None` if it is not told that it can.
    retry: Option<Duration>,
}

impl LiveSessions {
    /// Creates the session manager of an MCP server. Its sessions belong to nobody, and their clients have 30 seconds to
    /// finish `initialize`, if not set otherwise.
    pub fn new(sessions: SessionManager) -> Self {
        Self {
            sessions,
            owner: None,
            init_timeout: Duration::from_secs(30),
            retry: Some(Duration::from_secs(3)),
        }
    }

    /// Names the owner of a request by its head. A layer before this one, such as one that checks a token, may have left
    /// its findings in the head's extensions.
    ///
    /// A session or handle belongs to the owner of the request that created it, as a session of the group of that name.
    /// For requests of all others it does not exist: 404 for a session, and `invalid_params` for a handle. `None` is an
    /// owner, too: all requests without a name share it, and only the secrecy of ids and handles keeps them apart.
    /// Refuse requests without a name in a layer before this one if there must not be any.
    ///
    /// The function runs for each request, before its body has arrived.
    #[must_use]
    pub fn with_owner(
        mut self,
        owner: impl Fn(&Parts) -> Option<GroupId> + Send + Sync + 'static,
    ) -> Self {
        self.owner = Some(Arc::new(owner));
        self
    }

    /// How long a client may take from its `initialize` request to its `notifications/initialized`: 30 seconds if not
    /// set. Then the session ends, whatever else its client does.
    #[must_use]
    pub fn with_init_timeout(mut self, timeout: Duration) -> Self {
        self.init_timeout = timeout;
        self
    }

    /// Returns the manager of the sessions.
    pub fn sessions(&self) -> &SessionManager {
        &self.sessions
    }

    pub(crate) fn owner_of(&self, head: &Parts) -> Option<GroupId> {
        self.owner.as_ref().and_then(|owner| owner(head))
    }

    pub(crate) fn init_timeout(&self) -> Duration {
        self.init_timeout
    }

    pub(crate) fn retry(&self) -> Option<Duration> {
        self.retry
    }

    pub(crate) fn set_retry(&mut self, retry: Option<Duration>) {
        self.retry = retry;
    }

    /// Enters the MCP session with this id; `None` if there is none.
    pub(crate) fn enter(&self, id: &str) -> Option<(RequestGuard, PropertyRef<Conversation>)> {
        let id = id.parse::<SessionId>().ok()?;
        let guard = self.sessions.enter(&id).ok()?;
        // Sessions of other kinds have no conversation.
        let conversation = guard.session().properties().get(&CONVERSATION)?;
        Some((guard, conversation))
    }
}

impl fmt::Debug for LiveSessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LiveSessions").field(&self.sessions).finish()
    }
}
