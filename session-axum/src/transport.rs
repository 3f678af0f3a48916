//! Where a session's id travels between client and server.

use std::ops::ControlFlow;

use http::HeaderMap;
use session_core::SessionId;

use crate::head::RequestHead;

/// Where a session's id travels: how it is read from a request's head, put into a response's and taken back.
///
/// [`CookieTransport`](crate::CookieTransport) is the one for browsers, [`HeaderTransport`](crate::HeaderTransport) the
/// one for programs, and [`or`](Self::or) serves both. Implement the trait for another place. This one reads the id
/// from links such as `/film?session=...`, for players that can send no header:
///
/// ```
/// use std::ops::ControlFlow;
///
/// use http::{HeaderMap, Method};
/// use session_axum::{CookieTransport, Origin, RequestHead, SessionLayer, SessionTransport};
/// use session_core::{SessionId, SessionManager};
///
/// struct LinkTransport {
///     cookie: CookieTransport,
/// }
///
/// impl SessionTransport for LinkTransport {
///     fn read(
///         &self,
///         head: RequestHead<'_>,
///         offer: &mut dyn FnMut(SessionId, Origin) -> ControlFlow<()>,
///     ) -> ControlFlow<()> {
///         self.cookie.read(head, offer)?;
///         // Anyone can plant a link, so the session of a link is there to be looked at only.
///         if head.method != Method::GET {
///             return ControlFlow::Continue(());
///         }
///         let pairs = head.uri.query().unwrap_or_default().split('&');
///         let mut ids = pairs.filter_map(|pair| pair.strip_prefix("session=")?.parse().ok());
///         ids.try_for_each(|id| offer(id, Origin::default()))
///     }
///
///     // A response can't change the link that its client has, so all ids are told in the cookie.
///     fn write(&self, origin: Origin, response: &mut HeaderMap, id: SessionId) {
///         self.cookie.write(origin, response, id);
///     }
///
///     fn remove(&self, origin: Origin, response: &mut HeaderMap) {
///         self.cookie.remove(origin, response);
///     }
/// }
///
/// fn layer(sessions: SessionManager) -> SessionLayer {
///     let cookie = CookieTransport::new("__Host-id");
///     SessionLayer::new(sessions).with_transport(LinkTransport { cookie })
/// }
/// #
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use axum::{Router, body::Body, extract::Request, response::Response, routing::get};
/// # use http_body::Body as _;
/// # use tower_service::Service;
/// # let sessions = SessionManager::builder().build()?;
/// # let app = Router::new()
/// #     .route("/film", get(async |session: Option<session_axum::Session>| session.map_or("", |_| "found")))
/// #     .layer(layer(sessions.clone()));
/// # let id = sessions.create()?.id().encode();
/// # for (link, length) in [(format!("/film?session={id}"), 5), (format!("/film?session=x{id}"), 0)] {
/// #     let response: Response = app.clone().call(Request::get(link).body(Body::empty())?).await?;
/// #     assert_eq!(response.into_body().size_hint().exact(), Some(length));
/// # }
/// # Ok(()) }
/// ```
///
/// # Security
///
/// A client that knows an id holds the session, and a cookie is the only place that a page's scripts can't read. An id
/// in a *URL* leaks: into the browser's history, into the logs of servers and proxies, to other sites through
/// `Referer`, and to everyone whom the visitor sends the link. Anyone can also plant one, by a link. So put an id into a
/// URL only if its session holds nothing but what the link is for, never that of a visitor who is logged in, and end
/// that session soon.
///
/// The layer sets `Cache-Control: no-store` on every response that `write` or `remove` was called for. Other responses
/// that depend on the session are the application's to mark: caches know of `Cookie` and `Authorization`, but of no
/// other place.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say where a session's id travels",
    note = "use a `CookieTransport` or a `HeaderTransport`, or implement `SessionTransport`"
)]
pub trait SessionTransport: Send + Sync + 'static {
    /// Offers the ids that the request carries, each with the place it came from, in their order, until `offer` breaks.
    /// The first id of a live session counts; if there is none, the first superseded one. `offer` accepts the first
    /// eight ids.
    ///
    /// Anything that is not a well-formed id is skipped silently: the client is a stranger, not at fault. A transport
    /// with one place offers [`Origin::default()`].
    fn read(
        &self,
        head: RequestHead<'_>,
        offer: &mut dyn FnMut(SessionId, Origin) -> ControlFlow<()>,
    ) -> ControlFlow<()>;

    /// Writes the id into the response's head, so that the client presents it from now on.
    ///
    /// `origin` is that of the id that counted, otherwise that of the first id, dead as it was, and otherwise
    /// [`Origin::default()`]. If nothing is written, the client does not learn its new id: a session that was created
    /// for it stays until it is idle.
    fn write(&self, origin: Origin, response: &mut HeaderMap, id: SessionId);

    /// Tells the client in the response's head to forget its id. `origin` is as for [`write`](Self::write): where a
    /// log-out has ended sessions in several places, the client is told in one.
    fn remove(&self, origin: Origin, response: &mut HeaderMap);

    /// Reads ids in both transports' places, this one's first, and answers each client in the place that its id came
    /// from. A client without any id is answered in this one's.
    ///
    /// A live id counts before a superseded one, and that before an unknown one, whatever their places.
    ///
    /// An id that came in a cookie never shows in a header, where scripts could read it, and the other way round. A page
    /// whose scripts an attacker controls can still add a header to the log-in of a visitor without a cookie, and read
    /// the answer: if programs have routes of their own, prefer a layer with its own transport for these.
    ///
    /// ```
    /// use session_axum::{CookieTransport, HeaderTransport, SessionLayer, SessionTransport};
    /// use session_core::SessionManager;
    ///
    /// fn layer(sessions: SessionManager) -> SessionLayer {
    ///     let browsers = CookieTransport::new("__Host-id");
    ///     let programs = HeaderTransport::new("x-session");
    ///     SessionLayer::new(sessions).with_transport(browsers.or(programs))
    /// }
    /// ```
    ///
    /// A program's first request has no id, so its answer is a cookie. If programs can't keep cookies, let them present
    /// any well-formed id at first, such as 22 times `A`: it is unknown, but it says where to answer.
    fn or<T: SessionTransport>(self, other: T) -> Or<Self, T>
    where
        Self: Sized,
    {
        Or {
            first: self,
            second: other,
        }
    }
}

/// The place in a request that an id came from, among those that its transport reads. (The HTTP header `Origin` is
/// another thing.)
///
/// ```
/// use session_axum::Origin;
///
/// const QUERY: Origin = Origin::new(0);
/// const PATH: Origin = Origin::new(1);
///
/// assert_eq!(QUERY, Origin::default());
/// assert_eq!(PATH.place(), 1);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Origin(u64);

impl Origin {
    /// A place, by a number of its transport's own. Clients without an id are answered at number zero.
    #[must_use]
    pub const fn new(place: u8) -> Self {
        Self(place as u64)
    }

    /// The place's number.
    #[must_use]
    pub const fn place(self) -> u8 {
        self.0.to_le_bytes()[0]
    }

    /// The same place of the first or second of two transports.
    fn of(self, side: Side) -> Self {
        assert!(self.0 >> 63 == 0, "there are more than 56 transports");
        Self(self.0 << 1 | side as u64)
    }

    fn split(self) -> (Side, Self) {
        let side = if self.0 & 1 == 0 {
            Side::First
        } else {
            Side::Second
        };
        (side, Self(self.0 >> 1))
    }
}

/// One of two transports. `Origin::default()` is the first's of the first's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    First = 0,
    Second = 1,
}

/// Two transports as one, created by [`SessionTransport::or`]. Up to 56 can be nested.
#[derive(Clone, Debug)]
pub struct Or<A, B> {
    first: A,
    second: B,
}

impl<A: SessionTransport, B: SessionTransport> SessionTransport for Or<A, B> {
    fn read(
        &self,
        head: RequestHead<'_>,
        offer: &mut dyn FnMut(SessionId, Origin) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        self.first
            .read(head, &mut |id, origin| offer(id, origin.of(Side::First)))?;
        self.second
            .read(head, &mut |id, origin| offer(id, origin.of(Side::Second)))
    }

    fn write(&self, origin: Origin, response: &mut HeaderMap, id: SessionId) {
        match origin.split() {
            (Side::First, origin) => self.first.write(origin, response, id),
            (Side::Second, origin) => self.second.write(origin, response, id),
        }
    }

    fn remove(&self, origin: Origin, response: &mut HeaderMap) {
        match origin.split() {
            (Side::First, origin) => self.first.remove(origin, response),
            (Side::Second, origin) => self.second.remove(origin, response),
        }
    }
}

/// For sessions that another framework names: their ids do not travel.
pub(crate) struct NoTransport;

impl SessionTransport for NoTransport {
    fn read(
        &self,
        _: RequestHead<'_>,
        _: &mut dyn FnMut(SessionId, Origin) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn write(&self, _: Origin, _: &mut HeaderMap, _: SessionId) {}
    fn remove(&self, _: Origin, _: &mut HeaderMap) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_split_as_it_was_put_together() {
        for place in 0..=u8::MAX {
            let mut origin = Origin::new(place);
            let sides = (0..56).map(|level| {
                if (usize::from(place) + level) % 3 == 0 {
                    Side::Second
                } else {
                    Side::First
                }
            });
            let sides: Vec<_> = sides.collect();
            for side in &sides {
                origin = origin.of(*side);
            }
            for expected in sides.into_iter().rev() {
                let (side, within) = origin.split();
                assert_eq!(side, expected);
                origin = within;
            }
            assert_eq!((origin, origin.place()), (Origin::new(place), place));
        }
    }

    /// Offers this many ids.
    struct Many(usize);

    impl SessionTransport for Many {
        fn read(
            &self,
            _: RequestHead<'_>,
            offer: &mut dyn FnMut(SessionId, Origin) -> ControlFlow<()>,
        ) -> ControlFlow<()> {
            let id = "AAAAAAAAAAAAAAAAAAAAAA".parse().unwrap();
            (0..self.0).try_for_each(|_| offer(id, Origin::default()))
        }

        fn write(&self, _: Origin, _: &mut HeaderMap, _: SessionId) {}
        fn remove(&self, _: Origin, _: &mut HeaderMap) {}
    }

    #[test]
    fn two_transports_are_read_in_their_order_until_the_offer_breaks() {
        let request = http::Request::new(());
        let read = |most: usize| {
            let mut sides = Vec::new();
            let read = Many(2)
                .or(Many(2))
                .read((&request).into(), &mut |_, origin| {
                    sides.push(origin.split().0);
                    if sides.len() < most {
                        ControlFlow::Continue(())
                    } else {
                        ControlFlow::Break(())
                    }
                });
            (sides, read.is_break())
        };
        let [first, second] = [Side::First, Side::Second];
        assert_eq!(read(9), (vec![first, first, second, second], false));
        assert_eq!(read(3), (vec![first, first, second], true));
        assert_eq!(read(2), (vec![first, first], true));
        assert_eq!(read(1), (vec![first], true));
    }

    #[test]
    fn the_default_is_the_first_of_the_first() {
        let first = Origin::default();
        assert_eq!(first.of(Side::First), first);
        assert_eq!(first.split(), (Side::First, first));
    }

    #[test]
    #[should_panic(expected = "more than 56")]
    fn too_deep_an_origin_is_refused() {
        (0..57).fold(Origin::new(0x80), |origin, _| origin.of(Side::First));
    }
}
