//! The site whose page a request comes from.

use axum::extract::Request;
use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, HeaderName, Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;

use super::problem::answer;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const SEC_FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");

/// Refuses requests that pages of other sites make in a visitor's browser. From another port of this machine they would
/// carry the visitor's cookie, and from anywhere they would fill the server with sessions.
///
/// A link to the page from elsewhere is allowed, and so are clients that are not browsers.
pub(crate) async fn only_own_pages(request: Request, next: Next) -> Response {
    if is_foreign(request.method(), request.headers()) {
        return answer(
            StatusCode::FORBIDDEN,
            "The request comes from another site",
            "ask from the server's own page",
        );
    }
    next.run(request).await
}

fn is_foreign(method: &Method, head: &HeaderMap) -> bool {
    if let Some(site) = head.get(SEC_FETCH_SITE) {
        let follows_a_link = method == Method::GET
            && head
                .get(SEC_FETCH_MODE)
                .is_some_and(|mode| mode == "navigate");
        return site != "same-origin" && site != "none" && !follows_a_link;
    }
    // Browsers without these headers send at least this one with requests that may change something.
    let own = head
        .get(HOST)
        .map(|host| [b"http://", host.as_bytes()].concat());
    head.get(ORIGIN)
        .is_some_and(|origin| own.as_deref() != Some(origin.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn foreign(method: &Method, head: &[(&'static str, &'static str)]) -> bool {
        let head = head.iter().map(|(name, value)| {
            (
                HeaderName::from_static(name),
                value.parse().expect("it is a value"),
            )
        });
        is_foreign(method, &head.collect())
    }

    #[test]
    fn pages_of_others_are_foreign() {
        for site in ["cross-site", "same-site", "whatever"] {
            assert!(foreign(&Method::POST, &[("sec-fetch-site", site)]));
            let navigates = [("sec-fetch-site", site), ("sec-fetch-mode", "navigate")];
            assert!(foreign(&Method::POST, &navigates), "a form of theirs");
            assert!(!foreign(&Method::GET, &navigates), "a link to the page");
        }
        for origin in [
            "http://evil.example",
            "http://localhost:3001",
            "https://localhost:3000",
            "null",
        ] {
            assert!(foreign(
                &Method::POST,
                &[("host", "localhost:3000"), ("origin", origin)]
            ));
        }
    }

    #[test]
    fn own_pages_and_programs_are_not() {
        for site in ["same-origin", "none"] {
            assert!(!foreign(&Method::POST, &[("sec-fetch-site", site)]));
        }
        let own = [
            ("host", "localhost:3000"),
            ("origin", "http://localhost:3000"),
        ];
        assert!(!foreign(&Method::POST, &own));
        assert!(!foreign(&Method::POST, &[("host", "localhost:3000")]));
    }
}
