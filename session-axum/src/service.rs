//! The service that the layer creates.

use std::any::Any;
use std::mem;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum_core::body::Body;
use http::{Extensions, Request, Response};
use http_body::Body as _;
use tower_service::Service;

use crate::body::SessionBody;
use crate::future::{ResponseFuture, VisitGuard};
use crate::keyed::KeyedRequest;
use crate::request_body::WatchedBody;
use crate::shared::Shared;
use crate::visit::Visit;

/// An HTTP service whose requests belong to sessions, created by [`SessionLayer`](crate::SessionLayer).
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
    RequestBody: 'static,
    ResponseBody: Send + 'static,
{
    type Response = Response<SessionBody<ResponseBody>>;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    #[inline]
    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<RequestBody>) -> ResponseFuture<S::Future> {
        let (arrival, origin) = self.shared.arrive((&request).into());
        let mut groups = self.shared.groups_for(&arrival);
        let may_create = arrival.may_create();
        let visit = Arc::new(Visit::new(Arc::clone(&self.shared), arrival, origin));
        if self.shared.keyed && is_keyed(&visit, request.extensions(), may_create) {
            groups = None;
        }
        request.extensions_mut().insert(Arc::clone(&visit));
        if let Some(groups) = groups {
            let (head, body) = request.into_parts();
            if let Some(group) = groups.group(&head) {
                visit.finds_group(group);
            }
            request = Request::from_parts(head, body);
        }
        watch(request.body_mut(), &visit);
        // Before the call, so that the visit ends even if the call panics.
        let visit = VisitGuard::new(visit);
        ResponseFuture::new(self.inner.call(request), visit)
    }
}

/// Notes by which name the visit has its session, if a layer further out has said so. Returns whether the group of one that
/// is created is known by that.
// Out of line: few layers are keyed, and all requests would pay for it.
#[cold]
#[inline(never)]
fn is_keyed(visit: &Visit, extensions: &Extensions, may_create: bool) -> bool {
    let Some(keyed) = extensions.get::<KeyedRequest>() else {
        return false;
    };
    let group = keyed.group().filter(|_| may_create);
    if let Some(group) = group {
        visit.finds_group(group.clone());
    }
    visit.is_keyed(keyed.clone());
    group.is_some()
}

/// Makes the request's body tell the visit if it breaks off. The type of the body stays the same, so only axum's, which
/// can hold any body, can be watched.
fn watch(body: &mut dyn Any, visit: &Arc<Visit>) {
    if let Some(body) = body.downcast_mut::<Body>()
        && !body.is_end_stream()
    {
        *body = Body::new(WatchedBody::new(mem::take(body), Arc::clone(visit)));
    }
}
