//! The state that a layer, its services and the requests on their way have in common.

use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;

use http::HeaderMap;
use http::request::Parts;
use session_core::{GroupId, NotLive, RequestGuard, SessionManager};

use crate::group_resolver::GroupResolver;
use crate::notes::Notes;
#[cfg(feature = "ws")]
use crate::origin::Origin;
use crate::transport::SessionTransport;

/// The number of ids by which a request is looked up. A client has one, and at most a planted one besides.
const MOST_IDS: usize = 8;

#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) sessions: SessionManager,
    pub(crate) transport: Arc<dyn SessionTransport>,
    pub(crate) groups: Option<Arc<dyn GroupResolver>>,
    /// The other origins whose pages may open WebSockets.
    #[cfg(feature = "ws")]
    pub(crate) allowed_origins: Vec<Origin>,
}

/// The session that a request comes in with.
pub(crate) enum Arrival {
    /// It presents no known id.
    Stranger,
    /// It presents an id that was taken from its client a moment ago, and no live one.
    Superseded,
    /// It has entered the first live session among those whose ids it presents. The notes have the ids after that.
    Inside(RequestGuard, Option<Box<Notes>>),
}

impl Shared {
    pub(crate) fn arrive(&self, request: &HeaderMap) -> Arrival {
        let mut arrival = Arrival::Stranger;
        let mut left = MOST_IDS;
        let _ = self.transport.read(request, &mut |id| {
            if left == 0 {
                return ControlFlow::Break(());
            }
            left -= 1;
            match &mut arrival {
                Arrival::Inside(_, notes) => notes.get_or_insert_default().others.push(id),
                Arrival::Stranger | Arrival::Superseded => match self.sessions.enter(&id) {
                    Ok(guard) => arrival = Arrival::Inside(guard, None),
                    Err(NotLive::Superseded) => arrival = Arrival::Superseded,
                    Err(_) => {}
                },
            }
            ControlFlow::Continue(())
        });
        arrival
    }

    /// The group in which a session for this request is created.
    pub(crate) fn group(&self, request: &Parts) -> Option<GroupId> {
        self.groups.as_ref()?.group(request)
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}
