//! Cookies as clients send them, and as `CookieTransport` is configured to write them.

use std::panic::catch_unwind;

use axum::body::Body;
use http::header::COOKIE;
use http::{HeaderValue, Request};
use session_axum::{CookieTransport, SameSite, SessionLayer};
use tower::ServiceExt;

use crate::kit::{self, Stage, app, bare, cookie, is_silent, manager, request, set_cookies, told};

/// Cookies that no honest client sends.
fn hostile() -> Vec<Vec<u8>> {
    let mut headers: Vec<Vec<u8>> = [
        "id=",
        "id",
        "=",
        ";",
        ";;;",
        "id=;id=",
        "id=\"\"",
        "id=\"",
        "id= ",
        "; id",
        "=id",
        "id==",
        "id=AAAAAAAAAAAAAAAAAAAAAA",
        "id=\"AAAAAAAAAAAAAAAAAAAAAA\"",
        "id=AAAAAAAAAAAAAAAAAAAAAB",
        "id=AAAAAAAAAAAAAAAAAAAAAA==",
        "id=%41AAAAAAAAAAAAAAAAAAAAA",
        "id=../../../../etc/passwd",
        "id=AAAAAAAAAAAAAAAAAAAAA",
        "id=AAAAAAAAAAAAAAAAAAAAAAA",
        "ID=x; Id=y; i d=z",
    ]
    .iter()
    .map(|header| header.as_bytes().to_vec())
    .collect();
    headers.push(b"id=\xff\xfe\xfd; \xff=\xff".to_vec());
    headers.push("id=sitzung-für-ägypten-🦀".as_bytes().to_vec());
    headers.push(vec![b';'; 64 * 1024]);
    headers.push([b"id=".to_vec(), vec![b'A'; 64 * 1024]].concat());
    headers.push(b"id=AAAAAAAAAAAAAAAAAAAAAA; ".repeat(7));
    headers
}

#[tokio::test]
async fn r21_a_request_is_looked_up_by_its_first_eight_well_formed_ids() {
    let sessions = manager();
    let app = app(&sessions);
    let session = sessions.create().unwrap();
    for (made_up, found) in [(0, "some"), (7, "some"), (8, "none"), (2_000, "none")] {
        let mut header = b"id=; id=no-id; ".to_vec();
        header.extend(b"id=AAAAAAAAAAAAAAAAAAAAAA; ".repeat(made_up));
        header.extend(cookie(&session).as_bytes());
        let response = kit::get(&app, "/optional", header).await;
        assert_eq!(response.text(), found, "after {made_up}");
    }
}

#[tokio::test]
async fn hostile_cookies_cost_nothing() {
    let sessions = manager();
    let app = app(&sessions);
    for header in hostile() {
        let response = kit::get(&app, "/untouched", &header).await;
        assert_eq!(response.status(), 200);
        assert!(
            is_silent(&response),
            "{:?}",
            String::from_utf8_lossy(&header)
        );
        assert_eq!(kit::get(&app, "/optional", &header).await.text(), "none");
        assert_eq!(sessions.sessions(), []);
    }
}

#[tokio::test]
async fn hostile_cookies_start_clean() {
    let sessions = manager();
    let app = app(&sessions);
    for header in hostile() {
        let response = kit::get(&app, "/session", &header).await;
        let id = told(&response).unwrap();
        assert!(sessions.get(&id).is_some());
        assert!(!String::from_utf8_lossy(&header).contains(&id.encode()));
    }
    assert_eq!(sessions.sessions().len(), hostile().len());
}

#[tokio::test]
async fn a_session_is_found_among_whatever_surrounds_it() {
    let sessions = manager();
    let app = app(&sessions);
    let session = sessions.create().unwrap();
    let id = session.id().encode();
    for header in hostile() {
        for own in [
            format!("id={id}"),
            format!("id=\"{id}\""),
            format!("\t id= {id} "),
        ] {
            let header = [header.as_slice(), b"; ", own.as_bytes(), b"; a=b"].concat();
            assert_eq!(kit::get(&app, "/session", header).await.text(), id);
        }
    }
    for other in [
        format!("xid={id}"),
        format!("idx={id}"),
        format!("ID={id}"),
        format!("a=id={id}"),
    ] {
        assert_eq!(kit::get(&app, "/optional", other).await.text(), "none");
    }
}

#[tokio::test]
async fn several_cookie_headers_are_one() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let mut request = request("/session", "a=b");
    for header in [
        b"\xff",
        b"id=".as_slice(),
        cookie(&session).as_bytes(),
        b"c=d",
    ] {
        request
            .headers_mut()
            .append(COOKIE, HeaderValue::from_bytes(header).unwrap());
    }
    let response = app(&sessions).oneshot(request).await.unwrap();
    assert_eq!(kit::text(response).await, session.id().encode());
}

#[tokio::test]
async fn a_prefixed_cookie_has_what_its_prefix_promises() {
    let sessions = manager();
    let transport = CookieTransport::new("__Host-id").with_same_site(SameSite::Strict);
    let app =
        bare(Stage::default()).layer(SessionLayer::new(sessions.clone()).with_transport(transport));
    let response = app
        .oneshot(Request::get("/session").body(Body::empty()).unwrap())
        .await
        .unwrap();
    let id = sessions.sessions()[0].id().encode();
    assert_eq!(
        set_cookies(&response),
        [format!(
            "__Host-id={id}; HttpOnly; SameSite=Strict; Secure; Path=/"
        )]
    );
}

type Build = fn() -> CookieTransport;

#[test]
fn what_browsers_would_throw_away_is_refused_at_start_up() {
    let host = || CookieTransport::new("__Host-id");
    let refused: [(&str, Build); _] = [
        ("`Secure`", || {
            CookieTransport::new("__Host-id").with_secure(false)
        }),
        ("path `/`", || {
            CookieTransport::new("__host-id").with_path("/app")
        }),
        ("no domain", || {
            CookieTransport::new("__Host-id").with_domain("example.org")
        }),
        ("`Secure`", || {
            CookieTransport::new("__Secure-id").with_secure(false)
        }),
        ("`Secure`", || {
            CookieTransport::new("id")
                .with_secure(false)
                .with_same_site(SameSite::None)
        }),
        ("`Secure`", || {
            CookieTransport::new("id")
                .with_same_site(SameSite::None)
                .with_secure(false)
        }),
        ("cookie name", || CookieTransport::new("")),
        ("cookie name", || CookieTransport::new("i d")),
        ("cookie name", || CookieTransport::new("id=")),
        ("cookie name", || CookieTransport::new("id\r\nX: y")),
        ("cookie path", || {
            CookieTransport::new("id").with_path("app")
        }),
        ("cookie path", || {
            CookieTransport::new("id").with_path("/;Domain=evil")
        }),
        ("cookie path", || {
            CookieTransport::new("id").with_path("/\r\n")
        }),
        ("cookie domain", || {
            CookieTransport::new("id").with_domain("")
        }),
        ("cookie domain", || {
            CookieTransport::new("id").with_domain("a;b")
        }),
    ];
    for (sentence, build) in refused {
        let panic = catch_unwind(build).unwrap_err();
        let message = panic.downcast_ref::<String>().unwrap();
        assert!(message.contains(sentence), "{message}");
    }

    // Every cookie that they would keep is accepted.
    let _ = host()
        .with_path("/")
        .with_secure(true)
        .with_same_site(SameSite::None);
    let _ = CookieTransport::new("__Secure-id")
        .with_path("/app")
        .with_domain("example.org");
    let _ = CookieTransport::new("id")
        .with_secure(false)
        .with_same_site(SameSite::Strict);
}
