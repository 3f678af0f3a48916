//! Row 33: ids in a header, and values that are none.

use axum::body::Body;
use http::header::AUTHORIZATION;
use http::{HeaderValue, Request};
use session_axum::{HeaderTransport, LocalSession as _};
use tower::ServiceExt as _;

use crate::kit::{manager, no_store, text};
use crate::r33_places::{Place, SESSION, app, get, header};

#[tokio::test]
async fn r33_a_malformed_header_is_no_id() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let id = session.id().encode();
    let plain = app(&sessions, header());
    let bearer = app(&sessions, HeaderTransport::bearer());
    let values = [
        String::new(),
        format!("\"{id}\""),
        format!("{id}="),
        format!("{id}, {id}"),
        format!("{id};"),
        format!("{id}{id}"),
        id[1..].to_owned(),
        format!("id={id}"),
        "\u{fffd}".repeat(22),
        "+".repeat(22),
        "x".repeat(60_000),
    ];
    let of_plain = ["Bearer ", "\t", " "].map(|before| format!("{before}{id}"));
    let of_bearer = ["", "Basic ", "Bearer", "Bearer\t", "Bearer:", "Bearer \t"];
    let of_bearer = of_bearer.map(|before| format!("{before}{id}"));
    let behind_scheme = values.iter().map(|value| format!("Bearer {value}"));
    let cases = [
        (&plain, SESSION, [&values[..], &of_plain].concat()),
        (
            &bearer,
            AUTHORIZATION,
            behind_scheme.chain(of_bearer).collect(),
        ),
    ];
    for (app, header, values) in cases {
        for value in values {
            let present = |path: &str| {
                let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
                let request = Request::get(path).header(&header, value);
                app.clone().oneshot(request.body(Body::empty()).unwrap())
            };
            let response = present("/optional").await.unwrap();
            assert_eq!(Place::answers(&response), []);
            assert!(!no_store(&response));
            assert_eq!(text(response).await, "none", "{value}");
            assert_eq!(sessions.sessions().len(), 1, "it cost nothing");
            // A stranger like any other.
            let response = present("/session").await.unwrap();
            let [(_, told)] = &Place::answers(&response)[..] else {
                panic!("it is told once");
            };
            let new = sessions.get(&told.parse().unwrap()).unwrap();
            assert_ne!(new, session);
            new.terminate();
        }
    }
}

#[tokio::test]
async fn r33_a_bearers_scheme_has_no_case() {
    let sessions = manager();
    let app = app(&sessions, HeaderTransport::bearer());
    let id = sessions.create().unwrap().id().encode();
    for scheme in ["Bearer ", "bearer ", "BEARER ", "bEARER   "] {
        let request = Request::get("/session").header(AUTHORIZATION, format!("{scheme}{id}"));
        let response = app.clone().oneshot(request.body(Body::empty()).unwrap());
        assert_eq!(text(response.await.unwrap()).await, id);
    }
}

#[tokio::test]
async fn r33_debug_of_a_response_shows_no_id_in_a_header() {
    let sessions = manager();
    for transport in [header(), HeaderTransport::bearer()] {
        let response = get(&app(&sessions, transport), "/session", &[]).await;
        let shown = format!("{:?}", response.headers());
        let id = text(response).await;
        assert!(
            shown.contains("Sensitive") && !shown.contains(&id),
            "{shown}"
        );
    }
}
