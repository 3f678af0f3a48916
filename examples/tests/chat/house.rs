//! A chat with three users, and its visitors.

use std::time::Duration;

use axum::Router;
use examples::chat::{Chat, Users};
use serde_json::{Value, json};
use session_core::{Session, SessionManager};
use session_test::{Answer, Browser, Event, Events};

use crate::kit::problem::problem;

/// How long a session lives without activity.
pub(crate) const IDLE: Duration = Duration::from_secs(1200);

pub(crate) struct House {
    pub(crate) app: Router,
    pub(crate) sessions: SessionManager,
}

impl House {
    pub(crate) fn new() -> Self {
        let users = [
            ("ann", "the sea"),
            ("bob", "the hill"),
            ("eve", "the orchard"),
        ];
        let chat = Chat::new(Users::with_passwords(&users).unwrap(), 3000);
        let sessions = chat.manage_sessions(IDLE);
        Self {
            app: chat.app(sessions.clone()),
            sessions,
        }
    }

    /// A new browser, without a session.
    pub(crate) fn browser(&self) -> Browser {
        Browser::new(self.app.clone())
    }

    /// A new browser, where this user has logged in.
    pub(crate) async fn logged_in(&self, name: &str) -> Browser {
        let browser = self.browser();
        log_in(&browser, name).await.assert_status(200);
        browser
    }

    pub(crate) fn session(&self, browser: &Browser) -> Session {
        browser.session(&self.sessions).expect("it has a session")
    }

    /// Ends the chat: all sessions must end in order, with everything that they hold.
    pub(crate) async fn close(self) {
        let report = self.sessions.shutdown(Duration::from_secs(60)).await;
        assert!(report.is_clean(), "{report:?}");
        self.sessions.settled().await;
        assert_eq!(self.sessions.groups(), []);
    }
}

/// Tries this password.
pub(crate) async fn guess(browser: &Browser, name: &str, password: &str) -> Answer {
    let form = json!({ "name": name, "password": password });
    browser.post("/log-in").json(&form).await
}

/// Tries the right password of this user.
pub(crate) async fn log_in(browser: &Browser, name: &str) -> Answer {
    let password = match name {
        "ann" => "the sea",
        "bob" => "the hill",
        _ => "the orchard",
    };
    guess(browser, name, password).await
}

pub(crate) async fn log_out(browser: &Browser) {
    browser.post("/log-out").await.assert_status(204);
}

/// Has the device keep this draft.
pub(crate) async fn keep(browser: &Browser, draft: &Value) -> Answer {
    browser.put("/draft").json(draft).await
}

pub(crate) async fn say(browser: &Browser, text: &str) -> Answer {
    browser
        .post("/messages")
        .json(&json!({ "text": text }))
        .await
}

/// The status of a response that refuses something, whose body must be a problem in JSON.
pub(crate) fn refusal(answer: &Answer) -> u16 {
    let status = answer.status().as_u16();
    assert!(status >= 400, "{answer}");
    problem(answer, status);
    status
}

/// The user's devices, as the page lists them.
pub(crate) async fn devices(browser: &Browser) -> Vec<Value> {
    browser.get("/me/sessions").await.json()
}

/// The stream of events, from the beginning.
pub(crate) async fn follow(browser: &Browser) -> Events {
    browser.events("/events").await
}

/// An entry of the conversation in a few words.
pub(crate) fn words(event: &Event) -> String {
    if event.event != "message" {
        return format!("{} {}", event.event, event.data);
    }
    let entry: Value = serde_json::from_str(&event.data).unwrap();
    assert_eq!(entry["id"].to_string(), event.id);
    let (from, what) = (
        entry["from"].as_str().unwrap(),
        entry["event"].as_str().unwrap(),
    );
    match entry["text"].as_str() {
        Some(text) => format!("{from} {what} {text}"),
        None => format!("{from} {what}"),
    }
}

/// The next entries of the conversation, in a few words, without the drafts.
pub(crate) async fn next(events: &mut Events, count: usize) -> Vec<String> {
    let mut told = Vec::new();
    while told.len() < count {
        let event = events.next().await.expect("the stream goes on");
        if event.event != "draft" {
            told.push(words(&event));
        }
    }
    told
}

/// The rest of the conversation, to the end of the stream.
pub(crate) async fn rest(mut events: Events) -> Vec<String> {
    let mut told = Vec::new();
    while let Some(event) = events.next().await {
        told.push(words(&event));
    }
    told
}
