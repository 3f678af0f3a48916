//! A tab of a browser: the application under test, without its type, and the cookies that all tabs share.

use std::sync::Arc;

use axum_core::BoxError;
use axum_core::body::Body;
use bytes::Bytes;
use http::{Request, Response};
use tower::util::BoxCloneSyncService;
use tower::{Service, ServiceExt as _};

use crate::cookies::Cookies;

pub(crate) type App = BoxCloneSyncService<Request<Body>, Response<Body>, BoxError>;

#[derive(Clone)]
pub(crate) struct Tab {
    pub(crate) app: App,
    pub(crate) cookies: Arc<Cookies>,
}

impl Tab {
    pub(crate) fn new<S, B>(app: S) -> Self
    where
        S: Service<Request<Body>, Response = Response<B>, Error: Into<BoxError>, Future: Send>
            + Clone
            + Send
            + Sync
            + 'static,
        B: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
    {
        let app = app
            .map_response(|response: Response<B>| response.map(Body::new))
            .map_err(Into::into);
        Self {
            app: BoxCloneSyncService::new(app),
            cookies: Arc::default(),
        }
    }
}
