//! The path of a request through the layer, up to its response's head.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::{Request, Response};
use pin_project_lite::pin_project;
use tower_service::Service;

use super::body::ClusterBody;
use super::decide::{Decision, Outcome};

pin_project! {
    /// The response of a [`ClusterService`](crate::ClusterService).
    ///
    /// Dropping it before it completes ends the request, also at another node.
    pub struct ClusterFuture<S, B>
    where
        S: Service<Request<B>>,
    {
        #[pin]
        state: State<S, B>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<S, B>
    where
        S: Service<Request<B>>,
    {
        Here {
            #[pin]
            response: S::Future,
        },
        Deciding {
            decision: Decision<B>,
            // For a request that turns out to be served here.
            service: S,
        },
    }
}

impl<S: Service<Request<B>>, B> ClusterFuture<S, B> {
    pub(super) fn here(response: S::Future) -> Self {
        let state = State::Here { response };
        Self { state }
    }

    pub(super) fn deciding(decision: Decision<B>, service: S) -> Self {
        let state = State::Deciding { decision, service };
        Self { state }
    }
}

impl<S, B, ResponseBody> Future for ClusterFuture<S, B>
where
    S: Service<Request<B>, Response = Response<ResponseBody>>,
{
    type Output = Result<Response<ClusterBody<ResponseBody>>, S::Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        loop {
            let mut state = self.as_mut().project().state;
            let response = match state.as_mut().project() {
                StateProjection::Here { response } => {
                    let response = ready!(response.poll(cx))?;
                    return Poll::Ready(Ok(response.map(ClusterBody::local)));
                }
                StateProjection::Deciding { decision, service } => {
                    match ready!(decision.as_mut().poll(cx)) {
                        Outcome::Forwarded(response) => {
                            return Poll::Ready(Ok(response.map(ClusterBody::forwarded)));
                        }
                        Outcome::Own(response) => {
                            return Poll::Ready(Ok(response.map(ClusterBody::own)));
                        }
                        Outcome::Here(request) => service.call(request),
                    }
                }
            };
            state.set(State::Here { response });
        }
    }
}

impl<S: Service<Request<B>>, B> fmt::Debug for ClusterFuture<S, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClusterFuture").finish_non_exhaustive()
    }
}
