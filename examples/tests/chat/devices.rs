//! The devices of a user, which only this user sees and ends.

use std::time::Duration;

use axum::http::header::SET_COOKIE;
use futures_util::future::{join, join_all};
use serde_json::{Value, json};
use session_core::{CompletionCause, LocalSession as _};
use session_test::{Browser, assert_ended};
use tokio::time::sleep;

use crate::house::{House, IDLE, devices, follow, keep, log_in, log_out, refusal, rest, say};

/// The numbers of the devices, with a star at the one that asks.
async fn numbers(browser: &Browser) -> Vec<String> {
    let star = |device: &Value| if device["this"] == true { "*" } else { "" };
    let listed = devices(browser).await;
    listed
        .iter()
        .map(|device| format!("{}{}", device["device"], star(device)))
        .collect()
}

#[tokio::test]
async fn a_user_sees_the_own_devices_alone_and_no_ids() {
    let house = House::new();
    let phone = house.logged_in("ann").await;
    let laptop = house.logged_in("ann").await;
    let bob = house.logged_in("bob").await;
    assert_eq!(numbers(&phone).await, ["1*", "2"]);
    assert_eq!(numbers(&laptop).await, ["1", "2*"]);
    assert_eq!(numbers(&bob).await, ["1*"]);
    let answers = ["/me", "/me/sessions", "/people"].map(|path| phone.get(path));
    for answer in answers {
        let answer = answer.await;
        for session in house.sessions.sessions() {
            assert!(!answer.text().contains(&session.id().encode()));
            assert!(!answer.text().contains(&session.serial().to_string()));
        }
    }
    house.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_device_shows_when_it_ends_and_what_it_holds() {
    let house = House::new();
    let phone = house.logged_in("ann").await;
    let held = json!({ "text": "half a sentence" });
    keep(&phone, &held).await.assert_status(204);
    sleep(Duration::from_secs(100)).await;
    let laptop = house.logged_in("ann").await;
    let events = follow(&laptop).await;
    sleep(Duration::from_secs(200)).await;

    let [phones, laptops] = &devices(&laptop).await[..] else {
        panic!("two devices")
    };
    // Times are whole seconds, in steps of the sessions' clock.
    let near = |value: &Value, seconds: u64| value.as_u64().unwrap().abs_diff(seconds) <= 1;
    assert!(
        near(&phones["age"], 300) && near(&phones["idle"], 300),
        "{phones}"
    );
    assert!(near(&phones["ends_in"], IDLE.as_secs() - 300), "{phones}");
    assert_eq!(phones["requests"], 0);
    let names = |device: &Value| -> Vec<String> {
        let holds = device["holds"].as_array().unwrap();
        holds
            .iter()
            .map(|held| held["name"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(names(phones), ["number", "presence", "draft"]);
    assert!(near(&phones["holds"][2]["age"], 300), "{phones}");
    assert!(near(&laptops["age"], 200), "{laptops}");
    assert_eq!(laptops["idle"], Value::Null);
    assert_eq!(laptops["requests"], 2, "the open stream, and this request");
    assert!(near(&laptops["ends_in"], IDLE.as_secs()), "{laptops}");

    // It ends when it says so. The open page keeps the other one.
    let session = house.session(&phone);
    sleep(Duration::from_secs(890)).await;
    assert!(!session.is_completed());
    assert_ended!(session, CompletionCause::IdleTimeout);
    assert_eq!(numbers(&laptop).await, ["2*"]);
    drop(events);
    house.close().await;
}

#[tokio::test(start_paused = true)]
async fn log_out_my_other_devices_ends_them_and_tells_their_pages() {
    let house = House::new();
    let phone = house.logged_in("ann").await;
    let laptop = house.logged_in("ann").await;
    let bob = house.logged_in("bob").await;
    let tabs = [follow(&laptop).await, follow(&laptop.tab()).await];
    let own = follow(&phone).await;
    let (kept, ended) = (house.session(&phone), house.session(&laptop));

    let answer = phone.delete("/me/sessions/others").await;
    assert_eq!(answer.json::<Value>(), json!({ "ended": 1 }));
    for tab in tabs {
        let told = rest(tab).await;
        assert_eq!(told.last().unwrap(), "over logged out from another device");
    }
    assert_ended!(ended, CompletionCause::Terminated);
    assert_eq!(refusal(&laptop.get("/me").await), 401);
    assert!(!kept.is_completed());
    assert_eq!(numbers(&phone).await, ["1*"]);
    assert_eq!(numbers(&bob).await, ["1*"], "other users are left alone");
    say(&phone, "I am still here").await.assert_status(201);
    // Her stream has gone on meanwhile.
    log_out(&phone).await;
    let told = rest(own).await;
    assert_eq!(
        told[1..],
        [
            "ann came",
            "bob came",
            "ann said I am still here",
            "over logged out"
        ]
    );
    house.close().await;
}

#[tokio::test]
async fn one_device_is_logged_out_by_its_number() {
    let house = House::new();
    let phone = house.logged_in("ann").await;
    let laptop = house.logged_in("ann").await;
    let tablet = house.logged_in("ann").await;
    let bob = house.logged_in("bob").await;
    let ended = house.session(&laptop);
    // Bob has one device, so these are Ann's, or nobody's.
    for device in [2, 3, 4, u32::MAX] {
        let answer = bob.delete(&format!("/me/sessions/{device}")).await;
        assert_eq!(refusal(&answer), 404, "{device}");
    }
    assert_eq!(numbers(&phone).await, ["1*", "2", "3"]);

    let answer = phone.delete("/me/sessions/2").await;
    assert_eq!(answer.status(), 204);
    assert_ended!(ended, CompletionCause::Terminated);
    assert_eq!(numbers(&phone).await, ["1*", "3"]);
    assert_eq!(refusal(&phone.delete("/me/sessions/2").await), 404);
    // The number of one that has ended is not used again, while others are there.
    let again = house.logged_in("ann").await;
    assert_eq!(numbers(&again).await, ["1", "3", "4*"]);

    // The own one is logged out as by the button, with its cookie.
    let answer = tablet.delete("/me/sessions/3").await;
    assert_eq!(answer.status(), 204);
    assert!(answer.headers().contains_key(SET_COOKIE));
    assert_eq!(numbers(&phone).await, ["1*", "4"]);
    house.close().await;
}

#[tokio::test(start_paused = true)]
async fn a_ninth_device_logs_out_the_one_that_is_idle_longest() {
    let house = House::new();
    let mut browsers = Vec::new();
    for _ in 0..8 {
        browsers.push(house.logged_in("ann").await);
        sleep(Duration::from_secs(1)).await;
    }
    // The first is in use, so the second is the one.
    let page = follow(&browsers[0]).await;
    let ended = house.session(&browsers[1]);
    let ninth = house.logged_in("ann").await;
    assert_ended!(ended, CompletionCause::Evicted);
    assert_eq!(
        numbers(&ninth).await,
        ["1", "3", "4", "5", "6", "7", "8", "9*"]
    );

    // With a page open on each, the one that joined first goes, and is told.
    let mut pages = vec![page];
    for browser in browsers[2..].iter().chain([&ninth]) {
        pages.push(follow(browser).await);
    }
    let tenth = house.logged_in("ann").await;
    let told = rest(pages.remove(0)).await;
    assert_eq!(
        told.last().unwrap(),
        "over logged in on too many other devices"
    );
    assert_eq!(devices(&tenth).await.len(), 8);
    drop(pages);
    house.close().await;
}

#[tokio::test]
async fn devices_that_log_in_while_the_others_are_logged_out_are_in_or_out() {
    let house = House::new();
    let phone = house.logged_in("ann").await;
    for _ in 0..3 {
        let others = [(); 3].map(|()| house.browser());
        let log_ins = join_all(others.iter().map(|other| log_in(other, "ann")));
        let log_outs = async {
            for _ in 0..3 {
                phone.delete("/me/sessions/others").await.assert_status(200);
            }
        };
        let (answers, ()) = join(log_ins, log_outs).await;
        for (other, answer) in others.iter().zip(answers) {
            // The log-in itself is told if it was too late.
            assert!([200, 409].contains(&answer.status().as_u16()), "{answer:?}");
            let is_in = devices(&phone).await.len() > 1 && other.get("/me").await.status() == 200;
            assert_eq!(is_in, other.session(&house.sessions).is_some());
        }
    }
    assert_eq!(phone.delete("/me/sessions/others").await.status(), 200);
    assert_eq!(numbers(&phone).await, ["1*"]);
    house.close().await;
}
