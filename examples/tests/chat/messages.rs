//! How many messages a user may send.

use std::time::Duration;

use axum::http::header::RETRY_AFTER;
use session_core::LocalSession as _;
use session_test::{Browser, SessionExt as _};
use tokio::time::sleep;

use crate::house::{House, log_in, log_out, refusal, say};

/// Sends messages until one is refused. Returns how many were sent, and after how many seconds there is room.
async fn say_all(browser: &Browser) -> (usize, String) {
    let mut sent = 0;
    loop {
        let answer = say(browser, "hello").await;
        if answer.status() == 201 {
            sent += 1;
            continue;
        }
        assert_eq!(refusal(&answer), 429);
        let wait = answer.headers()[RETRY_AFTER].to_str().unwrap();
        return (sent, wait.to_owned());
    }
}

#[tokio::test(start_paused = true)]
async fn a_user_says_five_things_at_once_and_then_one_in_two_seconds() {
    let house = House::new();
    let (ann, bob) = (house.logged_in("ann").await, house.logged_in("bob").await);
    assert_eq!(say_all(&ann).await, (5, "2".into()));
    sleep(Duration::from_millis(500)).await;
    assert_eq!(
        say_all(&ann).await,
        (0, "2".into()),
        "whole seconds, none too few"
    );
    sleep(Duration::from_millis(1500)).await;
    assert_eq!(say_all(&ann).await, (1, "2".into()));
    assert_eq!(
        say_all(&bob).await,
        (5, "2".into()),
        "others are not slowed"
    );
    house.close().await;
}

#[tokio::test(start_paused = true)]
async fn the_limit_is_the_users_on_whichever_device() {
    let house = House::new();
    let (phone, laptop) = (house.logged_in("ann").await, house.logged_in("ann").await);
    assert_eq!(say_all(&phone).await.0, 5);
    assert_eq!(say_all(&laptop).await.0, 0);
    house.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_log_out_does_not_reset_the_limit() {
    let house = House::new();
    let ann = house.logged_in("ann").await;
    assert_eq!(say_all(&ann).await.0, 5);
    let session = house.session(&ann);
    let group = session.group();
    for end in ["log-out", "idle"] {
        match end {
            "log-out" => {
                log_out(&ann).await;
            }
            _ => house.session(&ann).set_idle_timeout(Duration::ZERO),
        }
        house.sessions.settled().await;
        assert_eq!(house.sessions.sessions(), []);
        assert_eq!(refusal(&ann.get("/me").await), 401);
        log_in(&ann, "ann").await.assert_status(200);
        assert_eq!(house.session(&ann).group(), group, "after {end}");
        assert_eq!(say_all(&ann).await, (0, "2".into()), "after {end}");
    }
    house.close().await;
}

#[tokio::test(start_paused = true)]
async fn what_belongs_to_a_user_ends_a_minute_after_the_last_log_out() {
    let house = House::new();
    let ann = house.logged_in("ann").await;
    assert_eq!(say_all(&ann).await.0, 5);
    let group = house.session(&ann).group();
    house.session(&ann).expire().await;
    sleep(Duration::from_secs(50)).await;
    assert!(!group.is_completed());
    sleep(Duration::from_secs(20)).await;
    assert!(group.is_completed());
    assert_eq!(house.sessions.groups(), []);
    // By then there would have been room anyway.
    log_in(&ann, "ann").await.assert_status(200);
    assert_eq!(say_all(&ann).await.0, 5);
    house.close().await;
}
