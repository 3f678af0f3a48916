//! Row 30: only pages of the server's own site, or of allowed ones, open sockets.

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use axum::routing::any;
use http::Request;
use session_axum::{Session, SessionLayer, SessionUpgrade, Socket};
use session_core::SessionManager;

use crate::client::{Http, Server};
use crate::kit::{self, cookie, manager, text_of};
use crate::sockets;

fn app(sessions: &SessionManager) -> Router {
    let layer = SessionLayer::new(sessions.clone());
    Router::new()
        .route(
            "/",
            // The session's extractor comes after the upgrade's, and creates nothing for a refused one either.
            any(async |upgrade: SessionUpgrade, _: Session| -> Response {
                upgrade.run(async |_: Socket| ())
            }),
        )
        .layer(layer.allow_origins(["https://app.example.com", "http://localhost:5173"]))
}

async fn answers(http: Http, headers: &[(&'static str, &str)]) -> bool {
    let sessions = manager();
    let server = Server::start(app(&sessions), &sessions).await;
    let session = sessions.create().unwrap();
    let send = async |cookies: &str| {
        let mut request: Request<Body> = sockets::handshake(http, "/", cookies);
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        sockets::send(server.address, http, request).await
    };
    let response = send(&cookie(&session)).await;
    if response.status() != 403 {
        sockets::upgrade(http, response).await;
        return true;
    }
    assert_eq!(
        response.headers()["content-type"],
        "application/problem+json"
    );
    let problem: serde_json::Value =
        serde_json::from_str(&text_of(response.into_body()).await).unwrap();
    assert_eq!(problem["type"], "urn:problem-type:cross-origin");
    assert_eq!(problem["status"], 403);
    let response = send("").await;
    assert_eq!(response.status(), 403);
    assert!(!response.headers().contains_key("set-cookie"));
    assert_eq!(sessions.sessions(), [session]);
    false
}

#[tokio::test]
async fn r30_a_page_of_another_site_is_refused_and_creates_no_session() {
    for http in Http::BOTH {
        for origin in [
            "http://evil.com",
            "http://test.evil.com",
            "http://test:3000",
            "https://test:80",
            "null",
        ] {
            assert!(
                !answers(http, &[("origin", origin)]).await,
                "{http:?} {origin}"
            );
        }
        let forwarded = ("x-forwarded-host", "example.com");
        assert!(!answers(http, &[("origin", "http://evil.com"), forwarded]).await);
    }
}

#[tokio::test]
async fn r30_the_servers_own_pages_allowed_ones_and_clients_without_an_origin_are_served() {
    for http in Http::BOTH {
        // The client asks for `test`, over HTTP/2 as `:authority`.
        for origin in [
            "http://test",
            "http://test:80",
            "https://test",
            "https://app.example.com",
            "http://localhost:5173",
        ] {
            assert!(
                answers(http, &[("origin", origin)]).await,
                "{http:?} {origin}"
            );
        }
        assert!(answers(http, &[]).await);
        let forwarded = ("x-forwarded-host", "example.com");
        assert!(answers(http, &[("origin", "https://example.com"), forwarded]).await);
    }
}

#[test]
#[should_panic(expected = "`https://example.com/path` is not an origin")]
fn r30_an_origin_has_no_path() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let _context = runtime.enter();
    let _ = SessionLayer::new(manager()).allow_origins(["https://example.com/path"]);
}

#[tokio::test]
async fn r30_what_is_no_handshake_creates_no_session() {
    let sessions = manager();
    let response = kit::get(&app(&sessions), "/", "").await;
    assert_eq!(response.status(), 400);
    assert!(kit::is_silent(&response));
    assert_eq!(sessions.sessions(), []);
}
