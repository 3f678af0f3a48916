//! The state that a layer, its services and the requests on their way have in common.

use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;

use http::request::Parts;
use session_core::{GroupId, NotLive, RequestGuard, SessionId, SessionManager};

use crate::group_resolver::GroupResolver;
use crate::head::RequestHead;
use crate::keyed::{KeyedRequest, Name};
use crate::notes::Notes;
#[cfg(feature = "ws")]
use crate::page_origin::PageOrigin;
use crate::transport::{Origin, SessionTransport};

/// The number of ids by which a request is looked up. A client has one, and at most a planted one besides.
const MOST_IDS: usize = 8;

#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) sessions: SessionManager,
    pub(crate) transport: Arc<dyn SessionTransport>,
    /// Another framework names the sessions.
    pub(crate) keyed: bool,
    pub(crate) groups: Option<Arc<dyn GroupResolver>>,
    /// The other origins whose pages may open WebSockets.
    #[cfg(feature = "ws")]
    pub(crate) allowed_origins: Vec<PageOrigin>,
}

/// The session that a request comes in with.
pub(crate) enum Arrival {
    /// It presents no known id.
    Stranger,
    /// It presents an id that was taken from its client a moment ago, and no live one.
    Superseded,
    /// The framework that names its session can't tell at the moment.
    Unavailable,
    /// It has entered the first live session among those whose ids it presents. The notes have the ids after that.
    Inside(RequestGuard, Option<Box<Notes>>),
}

impl Arrival {
    /// Whether a session may be created for the request, unless it ends the one that it has.
    pub(crate) fn may_create(&self) -> bool {
        match self {
            Self::Inside(..) | Self::Unavailable => false,
            Self::Stranger | Self::Superseded => true,
        }
    }
}

impl Shared {
    /// Looks the request up. The origin is that of the id that counted, otherwise that of the first one.
    pub(crate) fn arrive(&self, head: RequestHead<'_>) -> (Arrival, Origin) {
        if self.keyed {
            let keyed = head.extensions.get();
            let arrival = keyed.map_or(Arrival::Stranger, |keyed| self.arrive_keyed(keyed));
            return (arrival, Origin::default());
        }
        let mut search = Search {
            sessions: &self.sessions,
            arrival: Arrival::Stranger,
            origin: Origin::default(),
            left: MOST_IDS,
        };
        let _ = self
            .transport
            .read(head, &mut |id, origin| search.offer(id, origin));
        (search.arrival, search.origin)
    }

    fn arrive_keyed(&self, request: &KeyedRequest) -> Arrival {
        match request.name() {
            Name::Key(key) => match self.sessions.enter_keyed(key) {
                Ok(guard) if request.is_current() => Arrival::Inside(guard, None),
                Ok(_) | Err(NotLive::Superseded) => Arrival::Superseded,
                Err(_) => Arrival::Stranger,
            },
            Name::Stranger => Arrival::Stranger,
            Name::Superseded => Arrival::Superseded,
            Name::Unavailable => Arrival::Unavailable,
        }
    }

    /// The resolver, if it is to be asked at once: for requests without a live session.
    pub(crate) fn groups_for(&self, arrival: &Arrival) -> Option<&dyn GroupResolver> {
        self.groups.as_deref().filter(|_| arrival.may_create())
    }

    /// The group in which a session for this request is created.
    pub(crate) fn group(&self, request: &Parts) -> Option<GroupId> {
        self.groups.as_ref()?.group(request)
    }
}

/// The search for the session of one request.
struct Search<'s> {
    sessions: &'s SessionManager,
    arrival: Arrival,
    /// The place of the id that counts so far.
    origin: Origin,
    /// The number of ids that may still be offered.
    left: usize,
}

impl Search<'_> {
    #[inline]
    fn offer(&mut self, id: SessionId, origin: Origin) -> ControlFlow<()> {
        if self.left == 0 {
            return ControlFlow::Break(());
        }
        let is_first = self.left == MOST_IDS;
        self.left -= 1;
        match &mut self.arrival {
            Arrival::Inside(_, notes) => notes.get_or_insert_default().others.push(id),
            _ => match self.sessions.enter(&id) {
                Ok(guard) => {
                    self.arrival = Arrival::Inside(guard, None);
                    self.origin = origin;
                }
                Err(NotLive::Superseded) => {
                    if matches!(self.arrival, Arrival::Stranger) {
                        self.origin = origin;
                    }
                    self.arrival = Arrival::Superseded;
                }
                Err(_) if is_first => self.origin = origin,
                Err(_) => {}
            },
        }
        ControlFlow::Continue(())
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}
