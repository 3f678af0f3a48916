//! The groups of users who come back to a record, and have no live session.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use session_core::GroupId;
use tower_sessions::Session;

type Finding = Pin<Box<dyn Future<Output = Option<GroupId>> + Send>>;

#[derive(Clone)]
pub(crate) struct Groups(Arc<dyn Fn(Session) -> Finding + Send + Sync>);

impl Groups {
    pub(crate) fn new<F, Fut>(group: F) -> Self
    where
        F: Fn(Session) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Option<GroupId>> + Send + 'static,
    {
        Self(Arc::new(move |theirs| Box::pin(group(theirs))))
    }

    pub(crate) async fn find(&self, theirs: Session) -> Option<GroupId> {
        (self.0)(theirs).await
    }
}

impl fmt::Debug for Groups {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Groups").finish_non_exhaustive()
    }
}
