//! The conversation, as the event stream tells it.

use std::time::Duration;

use serde_json::{Value, json};
use session_core::{CompletionCause, LocalSession as _};
use session_test::{Browser, Events, assert_ended};
use tokio::time::sleep;

use crate::house::{House, IDLE, follow, keep, log_out, next, rest, say, words};

/// Says this as soon as there is room.
async fn say_in_time(browser: &Browser, text: &str) {
    sleep(Duration::from_secs(2)).await;
    say(browser, text).await.assert_status(201);
}

/// Follows the conversation from the event with this id on, as a browser that comes back does.
async fn follow_from(browser: &Browser, id: &str) -> Events {
    let mut events = browser.events("/events").header("last-event-id", id).await;
    assert_eq!(events.next().await.unwrap().event, "draft");
    events
}

#[tokio::test(start_paused = true)]
async fn history_comes_first_and_then_what_is_said() {
    let house = House::new();
    let ann = house.logged_in("ann").await;
    say(&ann, "one").await.assert_status(201);
    let bob = house.logged_in("bob").await;
    let mut events = follow(&bob).await;
    assert_eq!(
        next(&mut events, 3).await,
        ["ann came", "ann said one", "bob came"]
    );
    say(&ann, "two").await.assert_status(201);
    say(&bob, "three").await.assert_status(201);
    assert_eq!(
        next(&mut events, 2).await,
        ["ann said two", "bob said three"]
    );
    drop(events);
    house.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_page_that_comes_back_goes_on_where_it_was() {
    let house = House::new();
    let (ann, bob) = (house.logged_in("ann").await, house.logged_in("bob").await);
    let speaking = tokio::spawn(async move {
        for number in 0..300 {
            say_in_time(&ann, &number.to_string()).await;
        }
        ann
    });
    // It comes back after every second event, now with events to come and now with some that have come meanwhile.
    let mut expected = ["ann came".to_owned(), "bob came".to_owned()]
        .into_iter()
        .chain((0..300).map(|number| format!("ann said {number}")));
    let mut last = String::new();
    let mut seen = 0;
    while seen < 302 {
        let mut events = follow_from(&bob, &last).await;
        for _ in 0..2 {
            let event = events.next().await.unwrap();
            assert_eq!(Some(words(&event)), expected.next());
            last = event.id;
            seen += 1;
        }
        drop(events);
        sleep(Duration::from_secs(seen % 7)).await;
    }
    speaking.await.unwrap();
    house.close().await;
}

#[tokio::test(start_paused = true)]
async fn an_id_that_is_none_or_of_no_entry_begins_at_the_beginning() {
    let house = House::new();
    let ann = house.logged_in("ann").await;
    for id in [
        "",
        "x",
        "-1",
        "999",
        "18446744073709551616",
        "1 OR 1",
        "\u{e4}",
    ] {
        let mut events = follow_from(&ann, id).await;
        assert_eq!(next(&mut events, 1).await, ["ann came"], "{id}");
    }
    let mut events = follow_from(&ann, "1").await;
    say(&ann, "new").await.assert_status(201);
    assert_eq!(next(&mut events, 1).await, ["ann said new"]);
    drop(events);
    house.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_stalls_holds_up_nothing_and_is_told_what_it_missed() {
    let house = House::new();
    let (ann, bob) = (house.logged_in("ann").await, house.logged_in("bob").await);
    let mut stalled = follow(&bob).await;
    assert_eq!(next(&mut stalled, 1).await, ["ann came"]);
    let mut reader = follow(&ann).await;
    assert_eq!(next(&mut reader, 2).await, ["ann came", "bob came"]);
    for number in 0..300 {
        say_in_time(&ann, &number.to_string()).await;
        assert_eq!(next(&mut reader, 1).await, [format!("ann said {number}")]);
    }
    // The last two hundred are kept. Before them it has missed Bob and a hundred.
    let told = next(&mut stalled, 201).await;
    assert_eq!(told[..2], ["missed 101", "ann said 100"]);
    assert_eq!(told[200], "ann said 299");
    // It stalls again, and its session ends all the same.
    say_in_time(&ann, "more").await;
    let session = house.session(&bob);
    log_out(&bob).await;
    assert_ended!(session, CompletionCause::Terminated);
    assert_eq!(next(&mut reader, 2).await, ["ann said more", "bob left"]);
    assert_eq!(rest(stalled).await, ["over logged out"]);
    drop(reader);
    house.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_user_comes_with_the_first_device_and_leaves_with_the_last() {
    let house = House::new();
    let bob = house.logged_in("bob").await;
    let mut events = follow(&bob).await;
    let phone = house.logged_in("ann").await;
    let laptop = house.logged_in("ann").await;
    let sessions = [house.session(&phone), house.session(&laptop)];
    log_out(&phone).await;
    assert_ended!(sessions[0], CompletionCause::Terminated);
    assert_eq!(
        bob.get("/people").await.json::<Value>(),
        json!(["ann", "bob"])
    );
    say(&laptop, "good night").await.assert_status(201);
    // Her other page is closed, and the session ends by itself.
    assert_ended!(sessions[1], CompletionCause::IdleTimeout);
    let told = next(&mut events, 4).await;
    assert_eq!(
        told,
        ["bob came", "ann came", "ann said good night", "ann left"]
    );
    assert_eq!(bob.get("/people").await.json::<Value>(), json!(["bob"]));
    drop(events);
    house.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_page_is_told_why_the_session_has_ended() {
    // An open page keeps it from being idle, but not from being too old.
    let house = House::new();
    let ann = house.logged_in("ann").await;
    let session = house.session(&ann);
    let events = follow(&ann).await;
    sleep(4 * IDLE).await;
    assert!(!session.is_completed());
    let told = rest(events).await;
    assert_eq!(told.last().unwrap(), "over this session was too old");
    assert_ended!(session, CompletionCause::AbsoluteTimeout);

    let bob = house.logged_in("bob").await;
    let events = follow(&bob).await;
    house.close().await;
    let told = rest(events).await;
    assert_eq!(told.last().unwrap(), "over the server is shutting down");
}

#[tokio::test]
async fn the_tabs_of_a_device_share_a_draft() {
    let house = House::new();
    let phone = house.logged_in("ann").await;
    let laptop = house.logged_in("ann").await;
    let mut tabs = [
        follow(&phone).await,
        follow(&phone.tab()).await,
        follow(&laptop).await,
    ];
    for tab in &mut tabs {
        assert_eq!(tab.next().await.unwrap().data, r#"{"text":"","tab":0}"#);
        assert_eq!(next(tab, 1).await, ["ann came"]);
    }
    let draft = json!({ "text": "<b>half", "tab": 7 });
    keep(&phone, &draft).await.assert_status(204);
    let [one, other, laptops] = &mut tabs;
    for tab in [one, other] {
        assert_eq!(
            tab.next().await.unwrap().data,
            r#"{"text":"<b>half","tab":7}"#
        );
    }
    // The other device sees the next message, and no draft.
    say(&phone, "whole").await.assert_status(201);
    assert_eq!(words(&laptops.next().await.unwrap()), "ann said whole");
    // A tab that is opened later has it too.
    let mut late = follow(&phone).await;
    assert_eq!(
        late.next().await.unwrap().data,
        r#"{"text":"<b>half","tab":7}"#
    );
    drop((tabs, late));
    house.close().await;
}

#[tokio::test]
async fn markup_comes_back_as_the_text_that_it_is() {
    let house = House::new();
    let ann = house.logged_in("ann").await;
    let mut events = follow(&ann).await;
    let texts = [
        "<script>alert(1)</script>",
        "\"},{\"",
        "one\n\ndata: two\r\nid: 9\rthree\u{2028}four",
        "\u{0}\u{1b}[31m",
    ];
    next(&mut events, 1).await;
    for text in texts {
        say(&ann, text).await.assert_status(201);
        assert_eq!(next(&mut events, 1).await, [format!("ann said {text}")]);
    }
    // And a page that took it for markup would not run it.
    let page = ann.get("/").await;
    let policy = page.headers()["content-security-policy"].to_str().unwrap();
    assert!(
        policy.contains("default-src 'none'; script-src 'self'"),
        "{policy}"
    );
    for inline in ["<script>", "onclick", "style=", "<style"] {
        assert!(
            !page.text().contains(inline),
            "the policy would break it: {inline}"
        );
    }
    drop(events);
    house.close().await;
}
