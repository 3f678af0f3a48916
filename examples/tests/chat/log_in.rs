//! Log-in and log-out.

use std::pin::pin;

use axum::http::header::{RETRY_AFTER, SET_COOKIE};
use futures_util::future::join_all;
use futures_util::poll;
use serde_json::{Value, json};
use session_core::{CompletionCause, LocalSession as _};
use session_test::assert_ended;

use crate::house::{House, devices, follow, guess, keep, log_in, next, refusal, rest, say};
use crate::kit::browser::cookie;

#[tokio::test]
async fn a_wrong_log_in_leaves_nothing_and_does_not_tell_which_part_was_wrong() {
    let house = House::new();
    let browser = house.browser();
    let wrong = guess(&browser, "ann", "the hill").await;
    let unknown = guess(&browser, "ali", "the sea").await;
    for answer in [&wrong, &unknown] {
        assert_eq!(refusal(answer), 401);
        assert!(!answer.headers().contains_key(SET_COOKIE));
    }
    assert_eq!(wrong.text(), unknown.text());
    assert_eq!(house.sessions.sessions(), []);
    assert_eq!(house.sessions.groups(), []);
    house.close().await;
}

#[tokio::test]
async fn a_stranger_is_refused_everywhere_and_gets_no_session() {
    let house = House::new();
    let browser = house.browser();
    for path in ["/me", "/people", "/me/sessions"] {
        assert_eq!(refusal(&browser.get(path).await), 401, "{path}");
    }
    assert_eq!(refusal(&say(&browser, "hello").await), 401);
    let draft = json!({ "text": "hello" });
    assert_eq!(refusal(&keep(&browser, &draft).await), 401);
    for device in ["1", "others"] {
        let path = format!("/me/sessions/{device}");
        assert_eq!(refusal(&browser.delete(&path).await), 401);
    }
    // A browser's `EventSource` then does not come back.
    assert_eq!(browser.get("/events").await.status(), 204);
    assert_eq!(browser.post("/log-out").await.status(), 204);
    assert_eq!(browser.get("/").await.status(), 200);
    assert_eq!(house.sessions.sessions(), []);
    house.close().await;
}

#[tokio::test]
async fn a_log_in_of_many_clicks_logs_in() {
    let house = House::new();
    let browser = house.browser();
    let clicks = join_all((0..5).map(|_| log_in(&browser, "ann"))).await;
    for answer in clicks {
        assert_eq!(answer.status(), 200);
    }
    assert_eq!(browser.get("/me").await.json::<Value>()["name"], "ann");
    // All in one browser, with a session: one more click changes its id, and nothing else.
    let before = house.session(&browser);
    join_all((0..3).map(|_| log_in(&browser, "ann"))).await;
    assert_eq!(browser.get("/me").await.json::<Value>()["name"], "ann");
    assert!(!before.is_completed());
    house.close().await;
}

#[tokio::test]
async fn users_who_log_in_at_once_each_have_their_own() {
    let house = House::new();
    let names = ["ann", "bob", "eve", "ann", "bob", "eve"];
    let browsers = join_all(names.map(|name| house.logged_in(name))).await;
    for (name, browser) in names.iter().zip(&browsers) {
        assert_eq!(browser.get("/me").await.json::<Value>()["name"], *name);
        assert_eq!(devices(browser).await.len(), 2);
        assert_eq!(
            browser.get("/people").await.json::<Value>(),
            json!(["ann", "bob", "eve"])
        );
    }
    house.close().await;
}

#[tokio::test]
async fn a_log_out_ends_the_session_and_removes_the_cookie() {
    let house = House::new();
    let ann = house.logged_in("ann").await;
    let session = house.session(&ann);
    let answer = ann.post("/log-out").await.assert_status(204);
    assert!(answer.headers().contains_key(SET_COOKIE));
    let report = assert_ended!(session, CompletionCause::Terminated);
    assert_eq!(report.closed(), 1, "its presence");
    assert_eq!(session.completion_reason().as_deref(), Some("logged out"));
    assert_eq!(refusal(&ann.get("/me").await), 401);
    house.close().await;
}

#[tokio::test]
async fn a_log_in_as_another_user_takes_nothing_along() {
    let house = House::new();
    let browser = house.logged_in("ann").await;
    let anns = house.session(&browser);
    let draft = json!({ "text": "Bob must not see this" });
    keep(&browser, &draft).await.assert_status(204);

    log_in(&browser, "bob").await.assert_status(200);
    assert_ended!(anns, CompletionCause::Terminated);
    assert_eq!(
        anns.completion_reason().as_deref(),
        Some("logged in as another user")
    );
    assert_ne!(house.session(&browser), anns);
    let mut events = follow(&browser).await;
    let draft = events.next().await.unwrap();
    assert_eq!(draft.data, r#"{"text":"","tab":0}"#);
    let mut came_and_left = next(&mut events, 3).await;
    came_and_left.sort();
    assert_eq!(came_and_left, ["ann came", "ann left", "bob came"]);
    assert_eq!(browser.get("/people").await.json::<Value>(), json!(["bob"]));
    drop(events);
    house.close().await;
}

#[tokio::test]
async fn a_refused_log_in_leaves_the_session_that_there_is() {
    let house = House::new();
    let ann = house.logged_in("ann").await;
    let session = house.session(&ann);
    assert_eq!(refusal(&guess(&ann, "bob", "wrong").await), 401);
    assert_eq!(house.session(&ann), session);
    assert_eq!(ann.get("/me").await.json::<Value>()["name"], "ann");
    house.close().await;
}

#[tokio::test]
async fn a_client_that_hangs_up_while_its_password_is_looked_at_leaves_nothing() {
    let house = House::new();
    let browser = house.browser();
    for _ in 0..3 {
        let mut request = pin!(log_in(&browser, "ann"));
        assert!(poll!(&mut request).is_pending());
    }
    assert_eq!(refusal(&guess(&browser, "ann", "the hill").await), 401);
    assert_eq!(house.sessions.sessions(), []);
    assert_eq!(house.sessions.groups(), []);
    house.close().await;
}

/// A log-in in one tab replaces the id of the browser. The other tab comes back with the new one.
#[tokio::test]
async fn another_log_in_of_the_user_in_the_same_browser_ends_no_session() {
    let house = House::new();
    let browser = house.logged_in("ann").await;
    let session = house.session(&browser);
    let before = cookie(&browser, "chat-3000");
    let mut events = follow(&browser).await;
    assert_eq!(next(&mut events, 1).await, ["ann came"]);
    log_in(&browser, "ann").await.assert_status(200);
    assert_eq!(house.session(&browser), session);
    // Not told to log in: `EventSource` comes back, and goes on.
    assert_eq!(rest(events).await, [""; 0]);
    let mut events = follow(&browser).await;
    assert_eq!(next(&mut events, 1).await, ["ann came"]);
    // A request that was under way with the cookie from before.
    let late = browser.get("/me").header("cookie", before.as_str()).await;
    assert_eq!(refusal(&late), 409);
    assert_eq!(late.headers()[RETRY_AFTER], "1");
    drop(events);
    house.close().await;
}
