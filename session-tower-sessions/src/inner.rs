//! The service inside of theirs: it verifies the id that their layer has read, and enters the live session.

use std::mem;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use http::{Request, Response};
use session_axum::{SessionBody, SessionService};
use tower_service::Service;

use crate::tie::{Shared, Tie};
use crate::watched::Watched;

/// The place where the service outside of theirs finds the request's tie.
#[derive(Clone, Default)]
pub(crate) struct Slot(pub(crate) Arc<OnceLock<Arc<Tie>>>);

#[derive(Clone, Debug)]
pub struct Inner<S> {
    pub(crate) ours: SessionService<Watched<S>>,
    pub(crate) shared: Shared,
}

/// A response that goes past their layer as an error does, or an error.
#[derive(Debug)]
pub enum Past<R, E> {
    Response(R),
    Error(E),
}

impl<S, RequestBody, ResponseBody> Service<Request<RequestBody>> for Inner<S>
where
    S: Service<Request<RequestBody>, Response = Response<ResponseBody>> + Clone + Send + 'static,
    S::Future: Send + 'static,
    S::Error: 'static,
    RequestBody: Send + 'static,
    ResponseBody: Send + 'static,
{
    type Response = Response<SessionBody<ResponseBody>>;
    type Error = Past<Self::Response, S::Error>;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.ours.poll_ready(cx).map_err(Past::Error)
    }

    fn call(&mut self, mut request: Request<RequestBody>) -> Self::Future {
        // The service that is ready answers the request.
        let next = self.ours.clone();
        let mut ours = mem::replace(&mut self.ours, next);
        let shared = self.shared.clone();
        Box::pin(async move {
            let theirs = request.extensions().get::<tower_sessions::Session>();
            let slot = request.extensions().get::<Slot>();
            let (Some(theirs), Some(slot)) = (theirs.cloned(), slot.cloned()) else {
                return ours.call(request).await.map_err(Past::Error);
            };
            let tie = Arc::new(Tie::new(shared, theirs).await);
            let _ = slot.0.set(Arc::clone(&tie));
            let keyed = tie.keyed().await;
            let extensions = request.extensions_mut();
            extensions.insert(keyed);
            extensions.insert(Arc::clone(&tie));
            let response = ours.call(request).await.map_err(Past::Error)?;
            if tie.passes_by() {
                return Err(Past::Response(response));
            }
            Ok(response)
        })
    }
}
