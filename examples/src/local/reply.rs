//! Responses in JSON.

use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// JSON that ends with a newline, for clients in a shell.
pub(crate) struct Reply<T>(pub(crate) T);

impl<T: Serialize> IntoResponse for Reply<T> {
    fn into_response(self) -> Response {
        let mut json = serde_json::to_vec(&self.0).expect("its keys are strings");
        json.push(b'\n');
        ([(CONTENT_TYPE, "application/json")], json).into_response()
    }
}
