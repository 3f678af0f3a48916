//! The answer to a request, with its body.

use std::fmt::{self, Display};

use axum_core::body::Body;
use bytes::Bytes;
use http::response::Parts;
use http::{HeaderMap, Response, StatusCode};
use http_body_util::BodyExt as _;
use serde::de::DeserializeOwned;

use crate::asked::Asked;

/// The answer to a request of a [`Browser`](crate::Browser): status, headers and the whole body.
///
/// Awaiting the request panics if the application's service fails, or the body ends with an error.
pub struct Answer {
    asked: Asked,
    head: Parts,
    body: Bytes,
}

impl Answer {
    pub(crate) async fn read(asked: Asked, response: Response<Body>) -> Self {
        let (head, body) = response.into_parts();
        match asked.within("the end of the answer", body.collect()).await {
            Ok(body) => Self {
                asked,
                head,
                body: body.to_bytes(),
            },
            Err(error) => panic!("{asked}: the answer's body ended with an error: {error}"),
        }
    }

    /// Returns the status.
    pub fn status(&self) -> StatusCode {
        self.head.status
    }

    /// Returns the headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.head.headers
    }

    /// Returns the body.
    pub fn bytes(&self) -> &Bytes {
        &self.body
    }

    /// Returns the body as text.
    ///
    /// # Panics
    ///
    /// If it is not UTF-8.
    #[track_caller]
    pub fn text(&self) -> &str {
        match std::str::from_utf8(&self.body) {
            Ok(text) => text,
            Err(error) => panic!("{}: expected text: {error}: {self}", self.asked),
        }
    }

    /// Returns the value that the body has as JSON.
    ///
    /// # Panics
    ///
    /// If it is not JSON, or not of this type.
    #[track_caller]
    pub fn json<T: DeserializeOwned>(&self) -> T {
        match serde_json::from_slice(&self.body) {
            Ok(value) => value,
            Err(error) => panic!(
                "{}: expected JSON of a `{}`: {error}: {self}",
                self.asked,
                std::any::type_name::<T>()
            ),
        }
    }

    /// Checks the status, a [`StatusCode`] or its number.
    ///
    /// ```should_panic
    /// # use session_test::Browser;
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// let ann = Browser::new(axum::Router::new());
    /// // GET /nowhere (at src/main.rs:3:5): expected status 200, came 404 Not Found
    /// ann.get("/nowhere").await.assert_status(200);
    /// # }
    /// ```
    ///
    /// # Panics
    ///
    /// If it is another; the message has the body.
    #[expect(
        clippy::return_self_not_must_use,
        reason = "the check is what it is called for"
    )]
    #[expect(clippy::needless_pass_by_value, reason = "a number or a constant")]
    #[track_caller]
    pub fn assert_status(self, expected: impl PartialEq<StatusCode> + Display) -> Self {
        assert!(
            expected == self.status(),
            "{}: expected status {expected}, came {self}",
            self.asked
        );
        self
    }
}

/// The status and, if there is one, the body.
impl Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.status())?;
        if self.body.is_empty() {
            return Ok(());
        }
        write!(f, ": {}", String::from_utf8_lossy(&self.body))
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer")
            .field("to", &self.asked.to_string())
            .field("status", &self.status())
            .field("headers", self.headers())
            .field("body", &self.body)
            .finish_non_exhaustive()
    }
}
