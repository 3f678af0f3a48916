//! The reasons why a request is refused, and the responses to it.

use std::time::Duration;

use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use session_axum::SessionRejection;

use crate::local::answer;

/// The reason why a request is refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Problem {
    /// A problem with the session.
    #[error(transparent)]
    Session(SessionRejection),
    #[error("log in first")]
    Stranger,
    /// The same for a wrong name, so that strangers do not learn which names there are.
    #[error("there is no such user, or the password is another one")]
    Password,
    #[error("a name has 1 to 32 of the characters a-z, 0-9, - and _")]
    Name,
    #[error("a password has 1024 bytes at most")]
    LongPassword,
    #[error("there were too many wrong passwords; try again in {} s", seconds(.0))]
    Guesses(Duration),
    #[error("too many log in at this moment")]
    Busy,
    #[error("a message has 1 to 2000 characters, and not only invisible ones")]
    Text,
    #[error("the next message may be sent in {} s", seconds(.0))]
    Messages(Duration),
    #[error("you have no device {0}")]
    Device(u32),
}

/// The answers that come from session-axum.
impl<E> From<E> for Problem
where
    SessionRejection: From<E>,
{
    fn from(error: E) -> Self {
        Self::Session(error.into())
    }
}

/// Whole seconds, none too few.
fn seconds(wait: &Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, title) = match &self {
            Self::Session(_) => {
                let Self::Session(rejection) = self else {
                    unreachable!("it has just been one")
                };
                return rejection.into_response();
            }
            Self::Stranger => (StatusCode::UNAUTHORIZED, "Nobody is logged in"),
            Self::Password => (StatusCode::UNAUTHORIZED, "The log-in was refused"),
            Self::Name => (StatusCode::UNPROCESSABLE_ENTITY, "This is not a user name"),
            Self::LongPassword => (StatusCode::UNPROCESSABLE_ENTITY, "The password is too long"),
            Self::Guesses(_) => (StatusCode::TOO_MANY_REQUESTS, "The log-in was refused"),
            Self::Busy => (StatusCode::SERVICE_UNAVAILABLE, "The server is busy"),
            Self::Text => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "The message cannot be sent",
            ),
            Self::Messages(_) => (
                StatusCode::TOO_MANY_REQUESTS,
                "You are sending too many messages",
            ),
            Self::Device(_) => (StatusCode::NOT_FOUND, "Not found"),
        };
        let mut response = answer(status, title, &self.to_string());
        if let Self::Guesses(wait) | Self::Messages(wait) = &self {
            let wait = HeaderValue::from(seconds(wait));
            response.headers_mut().insert(RETRY_AFTER, wait);
        }
        response
    }
}
