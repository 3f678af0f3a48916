//! The service that the layer creates.

use std::mem;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum_core::BoxError;
use bytes::Bytes;
use http::uri::PathAndQuery;
use http::{Request, Response};
use http_body::Body;
use session_axum::RequestHead;
use tower_service::Service;

use super::Node;
use super::body::ClusterBody;
use super::decide::decide;
use super::future::ClusterFuture;
use crate::forward::target;
use crate::hop::{HOP, Word};
use crate::route::elsewhere;
use crate::view::Mode;

/// An HTTP service whose sessions are spread over several nodes, created by [`ClusterLayer`](crate::ClusterLayer).
#[derive(Clone, Debug)]
pub struct ClusterService<S> {
    inner: S,
    node: Arc<Node>,
}

impl<S> ClusterService<S> {
    pub(super) fn new(inner: S, node: Arc<Node>) -> Self {
        Self { inner, node }
    }
}

impl<S, RequestBody, ResponseBody> Service<Request<RequestBody>> for ClusterService<S>
where
    S: Service<Request<RequestBody>, Response = Response<ResponseBody>> + Clone,
    RequestBody: Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
    ResponseBody: Body<Data = Bytes, Error: Into<BoxError>>,
{
    type Response = Response<ClusterBody<ResponseBody>>;
    type Error = S::Error;
    type Future = ClusterFuture<S, RequestBody>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<RequestBody>) -> Self::Future {
        let word = request.headers_mut().remove(HOP);
        let view = &self.node.shared().view;
        if word.is_none() {
            let head = RequestHead::from(&request);
            let ids = elsewhere(&*self.node.transport, &self.node.sessions, head);
            let is_here = match &ids {
                None => true,
                Some(ids) => ids.is_empty() && view.mode() == Mode::Serving,
            };
            if is_here && view.is_open() {
                return ClusterFuture::here(self.inner.call(request));
            }
        }
        let word = word.and_then(|word| {
            let target = target(request.uri(), request.extensions());
            let target = target.as_ref().map_or("", PathAndQuery::as_str);
            Word::open(&word, &self.node.shared().secret, request.method(), target)
        });
        let decision = Box::pin(decide(Arc::clone(&self.node), request, word));
        // This one is ready, its clone may not be.
        let clone = self.inner.clone();
        ClusterFuture::deciding(decision, mem::replace(&mut self.inner, clone))
    }
}
