//! Whose request it is: rule 14.

use std::ops::ControlFlow;
use std::sync::Arc;

use session_axum::{RequestHead, SessionTransport};
use session_core::{NodeTag, NotLive, SessionId, SessionManager};

use crate::view::{Behind, Peer};

/// The number of ids by which a request is looked up, as in the session layer.
const MOST_IDS: usize = 8;

/// Where a request belongs, by the ids that it presents.
#[derive(Clone, Debug)]
pub(crate) enum Route {
    /// One of the ids is of a session that is here, or was replaced here a moment ago.
    Here,
    Peer(Arc<Peer>),
    /// A node that is not known.
    Unknown(NodeTag),
    /// No id is of a live session.
    Stranger,
}

/// Returns the ids that the request presents, or `None` if one of them is of a live session that is here.
#[inline]
pub(crate) fn elsewhere(
    transport: &dyn SessionTransport,
    sessions: &SessionManager,
    head: RequestHead<'_>,
) -> Option<Vec<SessionId>> {
    // It allocates nothing until an id is not of a session that is here.
    let mut ids = Vec::new();
    let mut is_here = false;
    let _ = transport.read(head, &mut |id, _| {
        if ids.len() == MOST_IDS {
            return ControlFlow::Break(());
        }
        is_here = sessions.get(&id).is_some();
        if is_here {
            return ControlFlow::Break(());
        }
        ids.push(id);
        ControlFlow::Continue(())
    });
    (!is_here).then_some(ids)
}

/// Routes a request without a live session here, by its ids in their order.
pub(crate) fn route(
    ids: &[SessionId],
    behind: impl Fn(NodeTag) -> Behind,
    sessions: &SessionManager,
) -> Route {
    for id in ids {
        match behind(id.tag()) {
            // By now it may be live as well.
            Behind::Nobody if !matches!(sessions.enter(id), Err(NotLive::Unknown)) => {
                return Route::Here;
            }
            Behind::Nobody => {}
            Behind::Peer(peer) => return Route::Peer(peer),
            Behind::Unknown => return Route::Unknown(id.tag()),
        }
    }
    Route::Stranger
}
