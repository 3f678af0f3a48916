//! The state that a layer, its services and the requests on their way have in common.

use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;

use http::request::Parts;
use session_core::{GroupId, NotLive, RequestGuard, SessionManager};

use crate::group_resolver::GroupResolver;
use crate::head::RequestHead;
use crate::notes::Notes;
use crate::transport::{Origin, SessionTransport};

/// The number of ids by which a request is looked up. A client has one, and at most a planted one besides.
const MOST_IDS: usize = 8;

#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) sessions: SessionManager,
    pub(crate) transport: Arc<dyn SessionTransport>,
    pub(crate) groups: Option<Arc<dyn GroupResolver>>,
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
    /// Looks the request up. The origin is that of the id that counted, otherwise that of the first one.
    pub(crate) fn arrive(&self, head: RequestHead<'_>) -> (Arrival, Origin) {
        let mut arrival = Arrival::Stranger;
        let mut counted = Origin::default();
        let mut left = MOST_IDS;
        let _ = self.transport.read(head, &mut |id, origin| {
            if left == 0 {
                return ControlFlow::Break(());
            }
            left -= 1;
            if let Arrival::Inside(_, notes) = &mut arrival {
                notes.get_or_insert_default().others.push(id);
                return ControlFlow::Continue(());
            }
            match self.sessions.enter(&id) {
                Ok(guard) => {
                    arrival = Arrival::Inside(guard, None);
                    counted = origin;
                }
                Err(NotLive::Superseded) if matches!(arrival, Arrival::Stranger) => {
                    arrival = Arrival::Superseded;
                    counted = origin;
                }
                Err(_) if left == MOST_IDS - 1 => counted = origin,
                Err(_) => {}
            }
            ControlFlow::Continue(())
        });
        (arrival, counted)
    }

    /// The resolver, if it is to be asked at once: for requests without a live session.
    pub(crate) fn groups_for(&self, arrival: &Arrival) -> Option<&dyn GroupResolver> {
        match arrival {
            Arrival::Inside(..) => None,
            Arrival::Stranger | Arrival::Superseded => self.groups.as_deref(),
        }
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
