//! The error responses: problems in JSON, as session-axum returns them too.

use axum::Json;
use axum::body::to_bytes;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

#[derive(Serialize)]
struct Told<'a> {
    title: &'a str,
    detail: &'a str,
    status: u16,
}

pub(crate) fn answer(status: StatusCode, title: &str, detail: &str) -> Response {
    let mut response = (
        status,
        Json(Told {
            title,
            detail,
            status: status.as_u16(),
        }),
    )
        .into_response();
    response.headers_mut().insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/problem+json"),
    );
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response
            .headers_mut()
            .insert(RETRY_AFTER, HeaderValue::from_static("1"));
    }
    response
}

/// Turns axum's own rejections, which are plain text, into problems.
pub(crate) async fn as_problem(response: Response) -> Response {
    let status = response.status();
    let told = response
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|kind| kind == "application/problem+json");
    if told || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let title = status.canonical_reason().unwrap_or("Error");
    let detail = to_bytes(response.into_body(), 64 << 10)
        .await
        .unwrap_or_default();
    answer(status, title, &String::from_utf8_lossy(&detail))
}
