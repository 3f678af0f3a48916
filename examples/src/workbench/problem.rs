//! The reasons why a request is refused, and the responses to it.

use std::io;
use std::sync::Arc;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use session_axum::SessionRejection;

use super::connection::QueryError;
use super::spill::SpillError;
use crate::local::answer;

/// The reason why a request is refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Problem {
    /// A problem with the session: it ended, it is busy, or its connection can't be opened.
    #[error(transparent)]
    Session(SessionRejection),
    #[error(transparent)]
    Query(Arc<QueryError>),
    /// SQLite would run the text before it, such as a `DELETE` without its `WHERE`.
    #[error("the statement has a zero byte")]
    ZeroByte,
    #[error("there is no query {0}, or it was too long ago")]
    NoRunner(u64),
    #[error("query {runner} has no page {page}")]
    NoPage { runner: u64, page: usize },
    #[error("the stored rows cannot be read")]
    Rows(#[source] io::Error),
    #[error("the database cannot be read")]
    Database(#[source] rusqlite::Error),
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

impl Problem {
    fn status_and_title(&self) -> (StatusCode, &'static str) {
        match self {
            Self::Session(rejection) => (
                rejection.status(),
                "The session could not serve the request",
            ),
            Self::Query(error) if error.is_busy() => (
                StatusCode::SERVICE_UNAVAILABLE,
                "Another session is writing",
            ),
            Self::Query(error) => match **error {
                QueryError::Sql(_) | QueryError::Refused(_) | QueryError::TooManyCalls => {
                    (StatusCode::BAD_REQUEST, "SQLite refused the query")
                }
                QueryError::Spill(SpillError::TooLarge | SpillError::RowTooLarge) => {
                    (StatusCode::BAD_REQUEST, "The result is too large")
                }
                QueryError::Cancelled => (StatusCode::CONFLICT, "The query was cancelled"),
                QueryError::RolledBack => (StatusCode::CONFLICT, "The transaction is gone"),
                QueryError::CrowdedOut => {
                    (StatusCode::SERVICE_UNAVAILABLE, "The query was stopped")
                }
                QueryError::Spill(SpillError::Io(_)) | QueryError::Panicked => (
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "The query could not be run",
                ),
            },
            Self::ZeroByte => (StatusCode::BAD_REQUEST, "This is not SQL"),
            Self::NoRunner(_) | Self::NoPage { .. } => (StatusCode::NOT_FOUND, "Not found"),
            Self::Rows(_) | Self::Database(_) => (
                StatusCode::INTERNAL_SERVER_ERROR,
                "The server could not serve the request",
            ),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        if let Self::Session(rejection) = self {
            return rejection.into_response();
        }
        let (status, title) = self.status_and_title();
        if status == StatusCode::INTERNAL_SERVER_ERROR {
            tracing::error!(
                error = &self as &dyn std::error::Error,
                "a request could not be served"
            );
        }
        answer(status, title, &self.to_string())
    }
}
