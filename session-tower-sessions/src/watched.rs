//! The service around the application: it sees the handler return while the live session is still the request's.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use session_axum::LazySession;
use tower_service::Service;

use crate::tie::Tie;

#[derive(Clone, Debug)]
pub(crate) struct Watched<S>(pub(crate) S);

impl<S, RequestBody, ResponseBody> Service<Request<RequestBody>> for Watched<S>
where
    S: Service<Request<RequestBody>, Response = Response<ResponseBody>>,
    S::Future: Send + 'static,
    ResponseBody: Send,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<RequestBody>) -> Self::Future {
        let tie = request.extensions_mut().remove::<Arc<Tie>>();
        let visitor = LazySession::from_extensions(request.extensions()).ok();
        let response = self.0.call(request);
        Box::pin(async move {
            let response = response.await?;
            if let (Some(tie), Some(visitor)) = (tie, visitor) {
                tie.handler_returned(&visitor).await;
            }
            Ok(response)
        })
    }
}
