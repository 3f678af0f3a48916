//! The page that shows the nodes and what happened to them.

use std::sync::Arc;

use axum::Json;
use axum::Router;
use axum::http::HeaderMap;
use axum::http::header::COOKIE;
use axum::middleware::from_fn;
use axum::response::Html;
use axum::routing::get;

use super::board::Board;
use crate::local::only_local;

/// The page, for visitors of a front on this port.
pub(crate) fn router(board: Arc<Board>, front: u16) -> Router {
    let status = move |headers: HeaderMap| async move {
        // Cookies are not separated by port, so this page gets that of the front.
        let name = format!("workbench-{front}");
        Json(board.overview(tag_in(&headers, &name)))
    };
    Router::new()
        .route("/", get(|| async { Html(include_str!("page.html")) }))
        .route("/api/status", get(status))
        .layer(from_fn(only_local))
}

/// The tag of the id in the cookie of this name: its first four characters.
pub(crate) fn tag_in<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let cookies = headers.get_all(COOKIE).into_iter();
    let mut pairs = cookies
        .filter_map(|cookies| cookies.to_str().ok())
        .flat_map(|cookies| cookies.split("; "));
    let id = pairs.find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))?;
    id.get(..4)
}
