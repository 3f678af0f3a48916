//! Requests that are too large, malformed or foreign: a clear answer, and nothing is left.

use axum::http::Method;
use axum::http::header::SET_COOKIE;
use serde_json::json;
use session_test::Browser;

use crate::house::{House, devices, follow, guess, keep, log_in, next, refusal, say};

#[tokio::test]
async fn a_name_of_a_megabyte_and_other_long_ones_are_refused_unread() {
    let house = House::new();
    let browser = house.browser();
    // More often than there are guesses: none of them is one.
    for _ in 0..10 {
        let answer = guess(&browser, &"a".repeat(1 << 20), "the sea").await;
        assert_eq!(refusal(&answer), 413);
        let answer = guess(&browser, "ann", &"a".repeat(1 << 20)).await;
        assert_eq!(refusal(&answer), 413);
        let answer = guess(&browser, "ann", &"a".repeat(1025)).await;
        assert_eq!(refusal(&answer), 422);
        for name in ["", " ann", "Ann", "user:ann", "../ann", &"a".repeat(33)] {
            assert_eq!(
                refusal(&guess(&browser, name, "the sea").await),
                422,
                "{name}"
            );
        }
    }
    assert_eq!(house.sessions.sessions(), []);
    log_in(&browser, "ann").await.assert_status(200);
    house.close().await;
}

#[tokio::test]
async fn a_message_has_a_length() {
    let house = House::new();
    let ann = house.logged_in("ann").await;
    for text in [
        "",
        " ",
        "\n\t\u{2003}",
        "\u{200b}\0 \u{3164}",
        &"a".repeat(2001),
    ] {
        assert_eq!(refusal(&say(&ann, text).await), 422);
    }
    assert_eq!(refusal(&say(&ann, &"a".repeat(1 << 20)).await), 413);
    let draft = json!({ "text": "a".repeat(2001) });
    assert_eq!(refusal(&keep(&ann, &draft).await), 422);
    // None of these counts. The longest message is this many bytes, however it is written.
    let longest = "\u{1f980}".repeat(2000);
    say(&ann, &longest).await.assert_status(201);
    let escaped = format!(r#"{{"text":"{}"}}"#, r"\ud83e\udd80".repeat(2000));
    let request = ann
        .post("/messages")
        .header("content-type", "application/json");
    request.body(escaped).await.assert_status(201);
    let mut events = follow(&ann).await;
    let said = format!("ann said {longest}");
    assert_eq!(next(&mut events, 3).await, ["ann came", &said, &said]);
    drop(events);
    house.close().await;
}

#[tokio::test]
async fn what_is_not_json_or_of_another_form_is_refused() {
    let house = House::new();
    let ann = house.logged_in("ann").await;
    for path in ["/log-in", "/messages"] {
        for (kind, body, status) in [
            (
                "text/plain",
                r#"{"text":"a","name":"ann","password":"the sea"}"#,
                415,
            ),
            (
                "application/x-www-form-urlencoded",
                "name=ann&password=the+sea",
                415,
            ),
            ("application/json", "{", 400),
            ("application/json", "", 400),
            ("application/json", "{}", 422),
            (
                "application/json",
                r#"{"text":1,"name":[],"password":{}}"#,
                422,
            ),
        ] {
            let request = ann.post(path).header("content-type", kind).body(body);
            assert_eq!(refusal(&request.await), status, "{path} {kind} {body}");
        }
    }
    assert_eq!(refusal(&ann.delete("/me/sessions/one").await), 400);
    assert_eq!(refusal(&ann.delete("/me/sessions/-1").await), 400);
    assert_eq!(refusal(&ann.get("/nowhere").await), 404);
    assert_eq!(refusal(&ann.get("/log-out").await), 405);
    assert_eq!(devices(&ann).await.len(), 1);
    house.close().await;
}

#[tokio::test]
async fn pages_of_other_sites_and_other_names_of_this_machine_are_refused() {
    let house = House::new();
    let ann = house.logged_in("ann").await;
    let form = json!({ "name": "bob", "password": "the hill" });
    let foreign = |browser: &Browser, method, path: &str| {
        [
            browser
                .request(Method::clone(&method), path)
                .header("sec-fetch-site", "cross-site"),
            // Another port of this machine, whose pages have the visitor's cookies.
            browser
                .request(method, path)
                .header("sec-fetch-site", "same-site"),
        ]
    };
    for (method, path) in [
        (Method::POST, "/log-in"),
        (Method::POST, "/log-out"),
        (Method::POST, "/messages"),
        (Method::DELETE, "/me/sessions/others"),
        (Method::DELETE, "/me/sessions/1"),
        (Method::GET, "/events"),
        (Method::GET, "/me/sessions"),
    ] {
        for request in foreign(&ann, method, path) {
            let answer = request.json(&form).await;
            assert_eq!(refusal(&answer), 403, "{path}");
            assert!(!answer.headers().contains_key(SET_COOKIE));
        }
    }
    for host in ["evil.example", "localhost.evil.example", "192.168.0.7:3000"] {
        let answer = ann.post("/log-in").header("host", host).json(&form).await;
        assert_eq!(refusal(&answer), 421, "{host}");
    }
    assert_eq!(house.sessions.sessions(), [house.session(&ann)]);
    house.close().await;
}
