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

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU64;

    use session_axum::CookieTransport;
    use session_core::Session;
    use tokio_util::sync::CancellationToken;

    use super::*;

    const PEER: &str = "PEER";
    const DEAD: &str = "DEAD";
    const NEW: &str = "NEW-";

    fn tag(text: &str) -> NodeTag {
        NodeTag::decode(text.as_bytes()).unwrap()
    }

    /// An id that nobody has.
    fn id(tag: &str) -> SessionId {
        format!("{tag}AAAAAAAAAAAAAAAAAA").parse().unwrap()
    }

    fn behind(own: NodeTag) -> impl Fn(NodeTag) -> Behind {
        move |other| match &*other.encode() {
            PEER => Behind::Peer(Arc::new(Peer {
                tag: other,
                address: "127.0.0.1:1".parse().unwrap(),
                drains: false,
                load: AtomicU64::new(0),
                gone: CancellationToken::new(),
            })),
            DEAD => Behind::Nobody,
            _ if other == own => Behind::Nobody,
            _ => Behind::Unknown,
        }
    }

    fn sessions() -> SessionManager {
        let sessions = SessionManager::builder().build().unwrap();
        sessions.set_tag(tag("HERE"));
        sessions
    }

    fn presented(sessions: &SessionManager, ids: &[SessionId]) -> Option<Vec<SessionId>> {
        let cookies: Vec<_> = ids.iter().map(|id| format!("id={}", id.encode())).collect();
        let request = http::Request::get("/").header("cookie", cookies.join("; "));
        let request = request.body(()).unwrap();
        elsewhere(&CookieTransport::new("id"), sessions, (&request).into())
    }

    fn routed(sessions: &SessionManager, ids: &[SessionId]) -> String {
        let Some(ids) = presented(sessions, ids) else {
            return "live".into();
        };
        match route(&ids, behind(tag("HERE")), sessions) {
            Route::Here => "here".into(),
            Route::Stranger => "stranger".into(),
            Route::Peer(peer) => peer.tag.encode(),
            Route::Unknown(tag) => format!("{tag}?"),
        }
    }

    #[tokio::test]
    async fn c14_a_live_local_session_counts_before_all_else() {
        let sessions = sessions();
        let live = sessions.create().unwrap().id();
        for ids in [
            &[live][..],
            &[id(PEER), live],
            &[id(NEW), id(DEAD), live, id(PEER)],
        ] {
            assert_eq!(routed(&sessions, ids), "live");
        }
    }

    #[tokio::test]
    async fn c14_otherwise_the_ids_count_in_their_order() {
        let sessions = sessions();
        let own = id("HERE");
        for (ids, expected) in [
            (&[][..], "stranger"),
            (&[own], "stranger"),
            (&[id(DEAD)], "stranger"),
            (&[own, id(DEAD), id(PEER)], PEER),
            (&[id(PEER), id(NEW)], PEER),
            (&[id(NEW), id(PEER)], "NEW-?"),
            (&[id(DEAD), id(NEW)], "NEW-?"),
        ] {
            assert_eq!(routed(&sessions, ids), expected, "{ids:?}");
        }
    }

    #[tokio::test]
    async fn c14_a_replaced_id_stays_where_it_was_replaced() {
        let sessions = sessions();
        let session: Session = sessions.create().unwrap();
        let old = session.id();
        let _new = session.enter().unwrap().cycle_id().unwrap();
        assert_ne!(session.id(), old);
        assert_eq!(routed(&sessions, &[old]), "here");
        assert_eq!(routed(&sessions, &[id(DEAD), old, id(PEER)]), "here");
        assert_eq!(routed(&sessions, &[session.id()]), "live");
    }

    #[tokio::test]
    async fn c14_eight_ids_are_looked_at_and_no_more() {
        let sessions = sessions();
        let live = sessions.create().unwrap().id();
        let many = |last, count| {
            let mut ids = vec![id(DEAD); count];
            ids.push(last);
            ids
        };
        assert_eq!(routed(&sessions, &many(live, 7)), "live");
        assert_eq!(routed(&sessions, &many(live, 8)), "stranger");
        assert_eq!(routed(&sessions, &many(id(PEER), 7)), PEER);
        assert_eq!(routed(&sessions, &many(id(PEER), 8)), "stranger");
        assert_eq!(presented(&sessions, &many(id(PEER), 99)).unwrap().len(), 8);
    }
}
