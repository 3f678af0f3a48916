//! The service that the layer makes.

use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use tower_service::Service;

use crate::future::Departure;
use crate::layer::Shared;
use crate::visit::Visit;
use crate::{ResponseFuture, SessionBody};

/// An http service whose requests belong to sessions; made by [`SessionLayer`](crate::SessionLayer).
#[derive(Clone, Debug)]
pub struct SessionService<S> {
    inner: S,
    shared: Arc<Shared>,
}

impl<S> SessionService<S> {
    pub(crate) fn new(inner: S, shared: Arc<Shared>) -> Self {
        Self { inner, shared }
    }
}

impl<S, RequestBody, ResponseBody> Service<Request<RequestBody>> for SessionService<S>
where
    S: Service<Request<RequestBody>, Response = Response<ResponseBody>>,
{
    type Response = Response<SessionBody<ResponseBody>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<RequestBody>) -> ResponseFuture<S::Future> {
        let arrival = self.shared.enter(request.headers());
        let session = arrival.as_ref().map(|guard| guard.session().clone());
        let visit = Arc::new(Visit::new(Arc::clone(&self.shared), session));
        request.extensions_mut().insert(Arc::clone(&visit));
        // Before the call: should it panic, the visit is over all the same.
        let departure = Departure::new(visit, arrival);
        ResponseFuture::new(self.inner.call(request), departure)
    }
}
