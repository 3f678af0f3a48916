//! The places of an id in a request and in a response, for the tests of row 33.

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use http::header::{AUTHORIZATION, COOKIE};
use http::{HeaderName, Request};
use session_axum::{CookieTransport, HeaderTransport, SessionLayer, SessionTransport};
use session_core::SessionManager;
use tower::ServiceExt as _;

use crate::kit::{Stage, bare, set_cookies};

pub(crate) const MADE_UP: &str = "AAAAAAAAAAAAAAAAAAAAAA";
pub(crate) const SESSION: HeaderName = HeaderName::from_static("x-session");
pub(crate) const SESSION_ID: HeaderName = HeaderName::from_static("session-id");

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Place {
    Cookie,
    Header,
    Bearer,
}

impl Place {
    pub(crate) fn present(self, request: &mut Request<Body>, id: &str) {
        let (header, value) = match self {
            Self::Cookie => (COOKIE, format!("id={id}")),
            Self::Header => (SESSION, id.to_owned()),
            Self::Bearer => (AUTHORIZATION, format!("Bearer {id}")),
        };
        request.headers_mut().append(header, value.parse().unwrap());
    }

    /// The id that the response tells here, empty if it is removed.
    pub(crate) fn answer(self, response: &Response) -> Option<String> {
        if self == Self::Cookie {
            let cookies = set_cookies(response);
            assert!(cookies.len() <= 1);
            let value = cookies.first()?.strip_prefix("id=")?.split(';').next()?;
            return Some(value.to_owned());
        }
        let header = if self == Self::Header {
            SESSION
        } else {
            SESSION_ID
        };
        let value = response.headers().get(header)?.to_str().unwrap();
        Some(value.to_owned())
    }

    /// The ids that the response tells, in all places.
    pub(crate) fn answers(response: &Response) -> Vec<(Self, String)> {
        let places = [Self::Cookie, Self::Header, Self::Bearer].into_iter();
        places
            .filter_map(|place| Some((place, place.answer(response)?)))
            .collect()
    }
}

pub(crate) fn cookie() -> CookieTransport {
    CookieTransport::new("id")
}

pub(crate) fn header() -> HeaderTransport {
    HeaderTransport::new("x-session")
}

pub(crate) fn app(sessions: &SessionManager, transport: impl SessionTransport) -> Router {
    let layer = SessionLayer::new(sessions.clone()).with_transport(transport);
    bare(Stage::default()).layer(layer)
}

pub(crate) async fn get(app: &Router, path: &str, ids: &[(Place, &str)]) -> Response {
    let mut request = Request::get(path).body(Body::empty()).unwrap();
    for (place, id) in ids {
        place.present(&mut request, id);
    }
    app.clone().oneshot(request).await.unwrap()
}
