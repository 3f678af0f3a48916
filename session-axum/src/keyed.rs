//! Requests whose session another framework names.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use session_core::{GroupId, Session, SessionKey, WeakSession};

/// The name that another framework has for the session of a request, for a layer of
/// [keyed requests](crate::SessionLayer::keyed). A layer further out puts it into the request's extensions.
///
/// It says how the request comes in:
///
/// | | extractors |
/// |---|---|
/// | [`named`](Self::named) | return the live session under this key, or create it: one, however many requests race |
/// | [`stranger`](Self::stranger) | create a session without a key, and [`created`](Self::created) returns it |
/// | [`superseded`](Self::superseded) | refuse with 409, as for an id that was taken from its client a moment ago |
/// | [`unavailable`](Self::unavailable) | refuse with 503 |
///
/// ```
/// use axum::extract::Request;
/// use axum::middleware::{Next, from_fn};
/// use axum::response::Response;
/// use axum::{Router, routing::get};
/// use session_axum::{KeyedRequest, Session, SessionLayer};
/// use session_core::{SessionKey, SessionManager};
///
/// /// Programs present a token, and each token has one live session.
/// async fn by_token(mut request: Request, next: Next) -> Response {
///     let token = request.headers().get("authorization");
///     let name = match token.and_then(|token| checked(token.as_bytes())) {
///         Some(key) => KeyedRequest::named(key),
///         None => KeyedRequest::stranger(),
///     };
///     request.extensions_mut().insert(name);
///     next.run(request).await
/// }
///
/// /// Anyone can make up a token, so only a valid one is a key.
/// fn checked(token: &[u8]) -> Option<SessionKey> {
///     # let is_valid = |token: &[u8]| token == b"sesame";
///     is_valid(token).then(|| SessionKey::new(token).ok()).flatten()
/// }
///
/// fn app(sessions: SessionManager) -> Router {
///     Router::new()
///         .route("/", get(async |session: Session| session.is_new().to_string()))
///         .layer(SessionLayer::keyed(sessions))
///         .layer(from_fn(by_token))
/// }
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # use http_body::Body as _;
/// # use tower_service::Service as _;
/// # let sessions = SessionManager::builder().build()?;
/// # let app = app(sessions.clone());
/// # for length in ["true".len(), "false".len()] {
/// #     let request = Request::get("/").header("authorization", "sesame").body(axum::body::Body::empty())?;
/// #     let response: Response = app.clone().call(request).await?;
/// #     assert_eq!(response.into_body().size_hint().exact(), Some(length as u64));
/// # }
/// # assert_eq!(sessions.stats().created, 1);
/// # Ok(()) }
/// ```
///
/// A key lets its client in, as an id does: vouch only for one that the other framework has verified.
#[derive(Clone)]
pub struct KeyedRequest {
    inner: Arc<Inner>,
    /// The group of a session that is created.
    group: Option<GroupId>,
}

struct Inner {
    name: Name,
    is_current: Option<Box<dyn Fn() -> bool + Send + Sync>>,
    /// A leaf in the lock order.
    created: Mutex<Option<WeakSession>>,
}

/// The way in which a request comes in.
pub(crate) enum Name {
    Key(SessionKey),
    Stranger,
    Superseded,
    Unavailable,
}

impl KeyedRequest {
    /// The request's session is the live one under this key, which the other framework has verified.
    #[must_use]
    pub fn named(key: SessionKey) -> Self {
        Self::new(Name::Key(key), None)
    }

    /// The request's session is the live one under this key, as long as `is_current` returns `true`. The key may be
    /// taken from its clients, by a log-in say, at any moment until the handler asks for the session.
    ///
    /// It is asked after each entry into the session, not before: a change that comes later
    /// [parts](session_core::Session::cycle_id) the session from this request. It runs without locks, and should be
    /// quick. If it returns `false`, the request is superseded.
    #[must_use]
    pub fn named_while(
        key: SessionKey,
        is_current: impl Fn() -> bool + Send + Sync + 'static,
    ) -> Self {
        Self::new(Name::Key(key), Some(Box::new(is_current)))
    }

    /// The other framework has no session for the request. One that an extractor creates has no key yet.
    #[must_use]
    pub fn stranger() -> Self {
        Self::new(Name::Stranger, None)
    }

    /// The request came with a name that was taken from its client a moment ago: see
    /// [`Superseded`](crate::rejection::Superseded).
    #[must_use]
    pub fn superseded() -> Self {
        Self::new(Name::Superseded, None)
    }

    /// The other framework can't tell at the moment: see [`Unavailable`](crate::rejection::Unavailable).
    #[must_use]
    pub fn unavailable() -> Self {
        Self::new(Name::Unavailable, None)
    }

    fn new(name: Name, is_current: Option<Box<dyn Fn() -> bool + Send + Sync>>) -> Self {
        Self {
            inner: Arc::new(Inner {
                name,
                is_current,
                created: Mutex::new(None),
            }),
            group: None,
        }
    }

    /// If an extractor creates a session for the request, it is created in this group: that of the user whom the other
    /// framework knows, for example. The layer's
    /// [group resolver](crate::SessionLayer::with_group_resolver) is not asked at the request's arrival then.
    ///
    /// A live session stays in its group.
    ///
    /// ```
    /// use session_axum::KeyedRequest;
    /// use session_core::{GroupId, SessionKey};
    ///
    /// fn named(key: SessionKey, user: u64) -> KeyedRequest {
    ///     KeyedRequest::named(key).in_group(GroupId::from(format!("user:{user}")))
    /// }
    /// ```
    #[must_use]
    pub fn in_group(self, group: GroupId) -> Self {
        Self {
            group: Some(group),
            ..self
        }
    }

    /// The session that this request has created without a key, the last one if there were several. No client can come
    /// back to it until the layer that named the request [keys it](session_core::Session::rekey), once the
    /// response is there. If the request ends without a response, the session ends with it.
    pub fn created(&self) -> Option<Session> {
        self.slot().as_ref()?.upgrade()
    }

    pub(crate) fn creates(&self, session: &Session) {
        *self.slot() = Some(session.downgrade());
    }

    pub(crate) fn name(&self) -> &Name {
        &self.inner.name
    }

    pub(crate) fn key(&self) -> Option<&SessionKey> {
        match &self.inner.name {
            Name::Key(key) => Some(key),
            _ => None,
        }
    }

    pub(crate) fn group(&self) -> Option<&GroupId> {
        self.group.as_ref()
    }

    pub(crate) fn is_current(&self) -> bool {
        self.inner.is_current.as_ref().is_none_or(|ask| ask())
    }

    fn slot(&self) -> MutexGuard<'_, Option<WeakSession>> {
        self.inner
            .created
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for KeyedRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.inner.name {
            Name::Key(_) => "KeyedRequest::Named",
            Name::Stranger => "KeyedRequest::Stranger",
            Name::Superseded => "KeyedRequest::Superseded",
            Name::Unavailable => "KeyedRequest::Unavailable",
        })
    }
}
