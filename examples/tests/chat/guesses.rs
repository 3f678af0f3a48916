//! Many wrong passwords, and the user that still gets in.

use std::time::Duration;

use axum::http::header::RETRY_AFTER;
use session_test::Browser;
use tokio::time::sleep;

use crate::house::{House, guess, log_in, log_out, refusal, say};

/// Tries so many wrong passwords, and returns how many were looked at. The others must be refused.
async fn attack(browser: &Browser, name: &str, guesses: usize) -> usize {
    let mut looked_at = 0;
    for number in 0..guesses {
        let answer = guess(browser, name, &format!("guess {number}")).await;
        match refusal(&answer) {
            401 => looked_at += 1,
            429 => assert_eq!(answer.headers()[RETRY_AFTER], "10"),
            other => panic!("{other}"),
        }
    }
    looked_at
}

#[tokio::test(start_paused = true)]
async fn a_thousand_wrong_passwords_are_refused_and_the_user_gets_in() {
    let house = House::new();
    // Ann has one browser where she is logged in, and one where she was.
    let phone = house.logged_in("ann").await;
    let laptop = house.logged_in("ann").await;
    log_out(&laptop).await;
    house.sessions.settled().await;

    let stranger = house.browser();
    assert_eq!(attack(&stranger, "ann", 1000).await, 5);
    assert_eq!(house.sessions.sessions(), [house.session(&phone)]);
    assert!(stranger.cookie("chat-3000").is_none());

    say(&phone, "I am still here").await.assert_status(201);
    log_in(&laptop, "ann").await.assert_status(200);
    // In a browser that is new to her she waits, as the stranger does, until there is a guess again.
    let tablet = house.browser();
    assert_eq!(refusal(&log_in(&tablet, "ann").await), 429);
    sleep(Duration::from_secs(10)).await;
    log_in(&tablet, "ann").await.assert_status(200);
    // The right password has used up no guess: that one is left for the next.
    assert_eq!(attack(&stranger, "ann", 100).await, 1);
    house.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_known_browser_has_few_guesses_too_and_knows_one_user_only() {
    let house = House::new();
    let anns = house.logged_in("ann").await;
    assert_eq!(attack(&anns, "ann", 100).await, 5);
    assert_eq!(refusal(&log_in(&anns, "ann").await), 429);
    // Strangers have their own.
    log_in(&house.browser(), "ann").await.assert_status(200);
    // For another user it is a stranger's browser. (The names share a bucket in one house of a thousand.)
    let others = ["bob", "eve"];
    let mut looked_at = 0;
    for name in others {
        attack(&house.browser(), name, 100).await;
        looked_at += attack(&anns, name, 10).await;
    }
    assert_eq!(looked_at, 0);
    house.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_made_up_token_is_a_strangers() {
    let house = House::new();
    let stranger = house.browser();
    attack(&stranger, "ann", 5).await;
    for token in [
        "0",
        "ffffffffffffffffffffffffffffffff",
        "+1",
        "",
        "no number",
        "\u{e4}",
    ] {
        let cookie = format!("chat-3000-known={token}");
        let form = serde_json::json!({ "name": "ann", "password": "the sea" });
        let request = stranger.post("/log-in").header("cookie", cookie.as_bytes());
        assert_eq!(refusal(&request.json(&form).await), 429, "{token}");
    }
    house.close().await;
}

#[tokio::test(start_paused = true)]
async fn names_that_nobody_has_are_refused_alike() {
    let house = House::new();
    assert_eq!(attack(&house.browser(), "nobody", 100).await, 5);
    assert_eq!(house.sessions.groups(), []);
    house.close().await;
}
