//! The response to a request that one of the two sessions could not serve.

use std::error::Error;
use std::fmt;

use axum_core::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use session_axum::SessionRejection;
use session_core::{
    CreateError, CycleError, JoinError, PropertyError, PropsError, Refused, SessionEnded,
};
use tower_sessions::{session, session_store};

/// The reason why one of the two sessions could not serve a request, for handlers that use `?` on both.
///
/// | status | for |
/// |---|---|
/// | 503, with `Retry-After` | the store of tower-sessions does not answer |
/// | 500 | a value, or a record, can't be encoded or decoded |
/// | as [`SessionRejection`] says | the live session |
///
/// The response is a problem in JSON, as those of [`session_axum::rejection`] are. It does not reveal the cause. That is
/// logged, at the levels `warn` and `error`, and is the [`source`](Error::source).
///
/// ```
/// use session_axum::LazySession;
/// use session_core::{Exclusive, SessionProperties};
/// use session_tower_sessions::Rejection;
/// use tower_sessions::Session;
///
/// #[derive(SessionProperties)]
/// struct Desk {
///     #[property(default)]
///     draft: Exclusive<String>,
/// }
///
/// async fn write(theirs: Session, visitor: LazySession, line: String) -> Result<(), Rejection> {
///     theirs.insert("last", &line).await?; // 503 if the store is away
///     let desk = visitor.props::<Desk>()?;
///     desk.draft().await?.push_str(&line);
///     Ok(())
/// }
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub enum Rejection {
    /// The session of tower-sessions: its record could not be loaded, saved, deleted or understood.
    Record(session::Error),
    /// The live session.
    Live(SessionRejection),
}

impl Rejection {
    /// The response's status.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Record(session::Error::Store(session_store::Error::Backend(_))) => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::Record(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Live(rejection) => rejection.status(),
        }
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Record(_) => f.write_str("the record of the session is not available"),
            Self::Live(rejection) => rejection.fmt(f),
        }
    }
}

impl Error for Rejection {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Record(error) => Some(error),
            Self::Live(rejection) => rejection.source(),
        }
    }
}

impl IntoResponse for Rejection {
    fn into_response(self) -> Response {
        let status = self.status();
        let error = match self {
            Self::Live(rejection) => return rejection.into_response(),
            Self::Record(error) => error,
        };
        let error = &error as &dyn Error;
        let json = [(CONTENT_TYPE, "application/problem+json")];
        if status == StatusCode::SERVICE_UNAVAILABLE {
            tracing::warn!(error, "tower-sessions could not serve a request");
            let problem = r#"{"type":"urn:problem-type:session-unavailable","title":"The session is not available","detail":"the session can't be loaded or saved at the moment: try again later","status":503}"#;
            (status, json, [(RETRY_AFTER, "1")], problem).into_response()
        } else {
            tracing::error!(error, "tower-sessions could not serve a request");
            let problem = r#"{"type":"urn:problem-type:session-record","title":"The session could not serve the request","detail":"something that the session holds could not be read or written","status":500}"#;
            (status, json, problem).into_response()
        }
    }
}

impl From<session::Error> for Rejection {
    fn from(error: session::Error) -> Self {
        Self::Record(error)
    }
}

impl From<SessionRejection> for Rejection {
    fn from(rejection: SessionRejection) -> Self {
        Self::Live(rejection)
    }
}

/// Makes errors of core those of the live session.
macro_rules! live {
    ($($error:ident),*) => {$(
        impl From<$error> for Rejection {
            fn from(error: $error) -> Self {
                Self::Live(error.into())
            }
        }
    )*};
}

live!(
    CreateError,
    CycleError,
    JoinError,
    PropertyError,
    PropsError,
    SessionEnded
);

impl<T> From<Refused<T>> for Rejection {
    fn from(refused: Refused<T>) -> Self {
        Self::Live(refused.into())
    }
}
