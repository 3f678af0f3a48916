//! Bodies of requests, read in full before anything else is done for the request.

use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody as _};
use axum::extract::{FromRequest as _, Request};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use tokio::time::timeout;

use super::problem::answer;

/// The bytes of a request's body.
pub(crate) const MOST_BYTES: usize = 128 << 10;
/// How long a client may take to send it.
const PATIENCE: Duration = Duration::from_secs(10);

/// Reads the body before the request enters a session. A client that sends half a body and waits is then in no session,
/// so it keeps no session from being idle and takes none of the few places.
pub(crate) async fn whole(request: Request, next: Next) -> Response {
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    let (head, body) = request.into_parts();
    let read = Bytes::from_request(Request::from_parts(head.clone(), body), &());
    match timeout(PATIENCE, read).await {
        Ok(Ok(body)) => next.run(Request::from_parts(head, Body::from(body))).await,
        Ok(Err(rejection)) => rejection.into_response(),
        Err(_) => answer(
            StatusCode::REQUEST_TIMEOUT,
            "The request's body did not arrive",
            "send all of it within ten seconds",
        ),
    }
}
