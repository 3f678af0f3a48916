//! Log-in and log-out in a real browser, and the example `terminal`, as a person uses them: Chromium, driven over
//! WebDriver.

mod chat;
mod driver;
mod server;
#[cfg(unix)]
mod terminal;

use std::time::Duration;

use serde_json::{Value, json};

use crate::driver::Driver;
use crate::server::Server;

/// How long the server takes over a password.
const THINKS: Duration = Duration::from_millis(300);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r21_a_page_that_polls_while_it_logs_in_is_logged_in() {
    let server = Server::start(THINKS).await;
    let browser = Driver::start().await;
    // With the browser's connections free, and with all but one taken by event streams. Polls then wait in the browser,
    // and are sent with the earlier id when the log-in's answer has arrived.
    for streams in [0, 5] {
        browser.open(&server.url("/log-out")).await;
        browser.open(&server.url("/")).await;
        let report = browser
            .run_async(
                "const done = arguments[arguments.length - 1], streams = arguments[0];
                 (async () => {
                     await fetch('/poll');
                     for (let i = 0; i < streams; i++) {
                         await new Promise((open) => { new EventSource('/events').onmessage = open; });
                     }
                     let polling = true;
                     const statuses = {};
                     const poll = async () => {
                         while (polling) {
                             const { status } = await fetch('/poll');
                             statuses[status] = (statuses[status] ?? 0) + 1;
                         }
                     };
                     const polls = [1, 2, 3, 4].map(poll);
                     const logIn = await fetch('/log-in', { method: 'POST', body: 'password' });
                     await new Promise((resolve) => setTimeout(resolve, 200));
                     polling = false;
                     await Promise.all(polls);
                     const name = await (await fetch('/name')).text();
                     done({ logIn: logIn.status, name, statuses });
                 })();",
                json!([streams]),
            )
            .await;
        assert_eq!(report["logIn"], 200, "{report}");
        assert_eq!(report["name"], "ali", "{report}");
        // Polls are answered, or told to try again. None fails in another way.
        let statuses = report["statuses"].as_object().unwrap();
        assert!(
            statuses
                .keys()
                .all(|status| status == "200" || status == "409"),
            "{report}"
        );
        assert!(statuses.contains_key("200"));
        browser.open(&server.url("/name")).await;
        assert_eq!(browser.text().await, "ali");
    }
    browser.quit().await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r32_a_double_click_on_the_log_in_button_logs_in() {
    let server = Server::start(THINKS).await;
    let browser = Driver::start().await;
    for between in [0, 100, 290, 298] {
        for stranger in [true, false] {
            browser.open(&server.url("/log-out")).await;
            if !stranger {
                browser.open(&server.url("/poll")).await;
            }
            browser.open(&server.url("/")).await;
            browser
                .run(
                    "const button = document.getElementById('log-in'), between = arguments[0];
                     button.click();
                     setTimeout(() => button.click(), between);",
                    json!([between]),
                )
                .await;
            // The form leads to a page with the user's name.
            browser.wait_for_path("/name").await;
            assert_eq!(
                browser.text().await,
                "ali",
                "{between} ms, a stranger: {stranger}"
            );
            browser.open(&server.url("/name")).await;
            assert_eq!(browser.text().await, "ali", "and stays so");
        }
    }
    browser.quit().await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r21_a_log_out_in_one_tab_while_another_loads_logs_out() {
    let server = Server::start(Duration::ZERO).await;
    let browser = Driver::start().await;
    let loading = browser.tab().await;
    let other = browser.new_tab().await;
    for polls in [1, 8] {
        browser.switch_to(&loading).await;
        browser.open(&server.url("/")).await;
        let logged_in: Value = browser
            .run_async(
                "const done = arguments[0];
                 fetch('/log-in', { method: 'POST', body: 'password' }).then((answer) => done(answer.status));",
                json!([]),
            )
            .await;
        assert_eq!(logged_in, 200);
        // A page that goes on loading, and each of its requests needs a session.
        browser
            .run(
                "window.loading = true;
                 const load = async () => { while (window.loading) await fetch('/slow-poll'); };
                 window.loads = Array.from({ length: arguments[0] }, load);",
                json!([polls]),
            )
            .await;
        browser.switch_to(&other).await;
        browser.open(&server.url("/")).await;
        browser.click("log-out").await;
        browser.wait_for_path("/name").await;
        assert_eq!(browser.text().await, "nobody");

        browser.switch_to(&loading).await;
        browser
            .run_async(
                "const done = arguments[0]; window.loading = false;
                 Promise.all(window.loads).then(() => done(true));",
                json!([]),
            )
            .await;
        for tab in [&loading, &other] {
            browser.switch_to(tab).await;
            browser.open(&server.url("/name")).await;
            assert_eq!(browser.text().await, "nobody");
        }
    }
    browser.quit().await;
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r21_a_page_that_is_loaded_with_a_superseded_id_loads_itself_again() {
    let server = Server::start(Duration::ZERO).await;
    let browser = Driver::start().await;
    browser.open(&server.url("/poll")).await;
    // The visitor logs in elsewhere. The request for this tab's next page still has the earlier id.
    server.log_in_everybody();
    browser.open(&server.url("/page")).await;
    assert!(
        browser.text().await.contains("try again"),
        "it is refused first"
    );
    // The browser forgets the cookie, as if the answer of the log-out had arrived by now.
    browser.delete_cookies().await;
    browser.wait_for_text("a page").await;
    browser.quit().await;
    server.stop().await;
}
