//! The checks of a record see what they are for.

use serde_json::Value;
use tokio::time::Instant;

use crate::record::{Answer, Record, Seen};

/// An answer to a request that was sent in this second.
fn answer(visitor: &str, at: u64, by: &str, session: Seen) -> Answer {
    let sent = start() + std::time::Duration::from_secs(at);
    Answer {
        visitor: visitor.to_owned(),
        door: ([127, 0, 0, 1], 1).into(),
        path: "/count".to_owned(),
        presented: (!session.new).then(|| "id".to_owned()),
        sent,
        done: sent,
        status: Some(200),
        by: Some(by.to_owned()),
        at: None,
        has_retry_after: false,
        issued: session.new.then(|| "id".to_owned()),
        body: Value::Null,
        session: Some(session),
    }
}

fn start() -> Instant {
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    *START.get_or_init(Instant::now)
}

fn seen(owner: &str, serial: u64, count: u64) -> Seen {
    Seen {
        owner: owner.to_owned(),
        serial,
        count,
        new: count == 1,
    }
}

/// A visitor's first answer, and another.
fn check(other: Answer) -> Record {
    let record = Record::default();
    record.add(answer("ali", 0, "n1", seen("ali", 7, 1)));
    record.add(other);
    record
}

#[test]
fn a_session_that_goes_on_is_in_order() {
    check(answer("ali", 1, "n1", seen("ali", 7, 2))).check(&[]);
}

#[test]
#[should_panic(expected = "another's session")]
fn anothers_session_is_seen() {
    check(answer("eve", 1, "n1", seen("ali", 7, 2))).check(&[]);
}

#[test]
#[should_panic(expected = "is not of")]
fn a_session_on_another_node_is_seen() {
    check(answer("ali", 1, "n2", seen("ali", 7, 2))).check(&[]);
}

#[test]
#[should_panic(expected = "is not of")]
fn another_session_of_the_id_is_seen() {
    check(answer("ali", 1, "n1", seen("ali", 8, 2))).check(&[]);
}

#[test]
#[should_panic(expected = "issued twice")]
fn an_id_that_is_issued_twice_is_seen() {
    check(answer("ali", 1, "n2", seen("ali", 8, 1))).check(&[]);
}

#[test]
#[should_panic(expected = "nobody issued")]
fn an_id_that_was_adopted_is_seen() {
    let mut adopted = answer("ali", 1, "n1", seen("ali", 8, 2));
    adopted.presented = Some("made up".to_owned());
    check(adopted).check(&[]);
}

#[test]
#[should_panic(expected = "back in time")]
fn a_count_that_goes_back_is_seen() {
    let record = check(answer("ali", 1, "n1", seen("ali", 7, 3)));
    record.add(answer("ali", 2, "n1", seen("ali", 7, 2)));
    record.check(&[]);
}

#[test]
#[should_panic(expected = "after it was revoked")]
fn an_id_that_was_revoked_is_seen() {
    let record = check(answer("ali", 1_000_000, "n1", seen("ali", 7, 2)));
    record.revoke("id");
    record.check(&[]);
}
