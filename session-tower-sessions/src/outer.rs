//! The service outside of theirs: once they have saved, it ties the live session to the id that the client is told.

use std::pin::Pin;
use std::task::{Context, Poll};

use http::{Request, Response};
use tower_service::Service;

use crate::inner::{Past, Slot};
use crate::tie::End;

/// An HTTP service whose requests belong to a session of tower-sessions and a live one, created by
/// [`LiveSessions`](crate::LiveSessions).
#[derive(Clone, Debug)]
pub struct LiveService<S>(pub(crate) S);

impl<S, B, E, RequestBody> Service<Request<RequestBody>> for LiveService<S>
where
    S: Service<Request<RequestBody>, Response = Response<B>, Error = Past<Response<B>, E>>,
    S::Future: Send + 'static,
{
    type Response = Response<B>;
    type Error = E;
    type Future = Pin<Box<dyn Future<Output = Result<Response<B>, E>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), E>> {
        self.0.poll_ready(cx).map_err(|past| match past {
            Past::Error(error) => error,
            Past::Response(_) => unreachable!("no service is ready with a response"),
        })
    }

    fn call(&mut self, mut request: Request<RequestBody>) -> Self::Future {
        let slot = Slot::default();
        request.extensions_mut().insert(slot.clone());
        let mut settling = Settling {
            slot,
            end: End::Untold,
        };
        let response = self.0.call(request);
        Box::pin(async move {
            let response = match response.await {
                Ok(response) | Err(Past::Response(response)) => response,
                Err(Past::Error(error)) => return Err(error),
            };
            if !response.status().is_server_error() {
                settling.end = End::Told;
            }
            drop(settling);
            Ok(response)
        })
    }
}

/// Settles the request's tie once it is over, even without a response.
struct Settling {
    slot: Slot,
    end: End,
}

impl Drop for Settling {
    fn drop(&mut self) {
        if let Some(tie) = self.slot.0.get() {
            tie.settle(self.end);
        }
    }
}
