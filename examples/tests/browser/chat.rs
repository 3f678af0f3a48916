//! The example `chat` in real browsers: two devices of one user, one of them with two tabs.

use std::time::Duration;

use examples::chat::{Chat, Users};
use serde_json::json;
use session_axum::serve;
use session_core::ShutdownReport;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::driver::Driver;

const ENTER: char = '\u{e007}';

/// The notes that the page shows, in the form `connection|log-in|inside`.
const NOTES: &str = "const shown = (id) => document.getElementById(id).checkVisibility() \
     ? document.getElementById(id).textContent : ''; \
     return [shown('connection'), shown('log-in-note'), shown('note')].join('|');";
/// The messages, without the lines about users that come and go.
const SAID: &str = "return [...document.querySelectorAll('#messages .text')].map((text) => text.textContent).join('|');";
const DEVICES: &str = "return [...document.querySelectorAll('#devices .name span')].map((name) => name.textContent).join('|');";
const PEOPLE: &str = "return [...document.querySelectorAll('#people li')].map((name) => name.textContent).join('|');";
const DRAFT: &str = "return document.getElementById('text').value;";

struct Server {
    url: String,
    stop: oneshot::Sender<()>,
    task: JoinHandle<ShutdownReport>,
}

impl Server {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let users = Users::with_passwords(&[("ann", "of the sea"), ("bob", "of the hill")]);
        let chat = Chat::new(users.unwrap(), port);
        let sessions = chat.manage_sessions(Duration::from_secs(1200));
        let (stop, stopped) = oneshot::channel();
        let server = serve(listener, chat.app(sessions.clone()), sessions)
            .with_graceful_shutdown(async {
                let _ = stopped.await;
            })
            .grace(Duration::from_millis(100))
            .timeout(Duration::from_secs(10));
        Self {
            url: format!("http://localhost:{port}/"),
            stop,
            task: tokio::spawn(server.into_future()),
        }
    }

    /// Opens the page in a browser of its own, and logs in by the keyboard.
    async fn logged_in(&self, name: &str, password: &str) -> Driver {
        let browser = Driver::start().await;
        browser.open(&self.url).await;
        browser
            .wait_for("return document.activeElement.id;", "name")
            .await;
        browser.type_into("name", name).await;
        browser
            .type_into("password", &format!("{password}{ENTER}"))
            .await;
        browser
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_with_two_devices_talks_and_logs_the_other_one_out() {
    let server = Server::start().await;
    let phone = server.logged_in("ann", "of the hill").await;
    phone
        .wait_for(
            NOTES,
            "|The log-in was refused: there is no such user, or the password is another one|",
        )
        .await;
    // The wrong password is marked, so that typing replaces it.
    phone
        .type_into("password", &format!("of the sea{ENTER}"))
        .await;
    phone.wait_for(DEVICES, "Device 1 (this one)").await;

    let laptop = server.logged_in("ann", "of the sea").await;
    laptop
        .wait_for(DEVICES, "Device 1|Device 2 (this one)")
        .await;
    let first = laptop.tab().await;
    let second = laptop.new_tab().await;
    laptop.switch_to(&second).await;
    laptop.open(&server.url).await;
    laptop
        .wait_for(DEVICES, "Device 1|Device 2 (this one)")
        .await;
    laptop.switch_to(&first).await;

    // Markup is text for everybody, and the other tab shows what is being written.
    let markup = "<img src=x onerror=\"document.title='broken'\"> & <b>bold</b>";
    laptop.type_into("text", markup).await;
    laptop.switch_to(&second).await;
    laptop.wait_for(DRAFT, markup).await;
    laptop.type_into("text", &ENTER.to_string()).await;
    for browser in [&laptop, &phone] {
        browser.wait_for(SAID, markup).await;
        assert_eq!(
            browser.run("return document.title;", json!([])).await,
            "Chat"
        );
        let made = "return document.querySelectorAll('#messages :is(img, .text b)').length;";
        assert_eq!(browser.run(made, json!([])).await, 0);
    }
    laptop.switch_to(&first).await;
    laptop.wait_for(DRAFT, "").await;

    let bobs = server.logged_in("bob", "of the hill").await;
    bobs.wait_for(DEVICES, "Device 1 (this one)").await;
    bobs.wait_for(SAID, markup).await;
    for browser in [&phone, &laptop] {
        browser.wait_for(PEOPLE, "ann (you)|bob").await;
    }

    phone.click("log-out-others").await;
    for tab in [&first, &second] {
        laptop.switch_to(tab).await;
        laptop
            .wait_for(
                NOTES,
                "|You were logged out: logged out from another device.|",
            )
            .await;
    }
    phone.wait_for(DEVICES, "Device 1 (this one)").await;
    phone.type_into("text", &format!("still here{ENTER}")).await;
    for browser in [&phone, &bobs] {
        browser
            .wait_for(SAID, &format!("{markup}|still here"))
            .await;
        browser.wait_for(NOTES, "||").await;
    }
    bobs.click("log-out").await;
    bobs.wait_for(NOTES, "||").await;
    phone.wait_for(PEOPLE, "ann (you)").await;

    // The server says good-bye.
    server.stop.send(()).unwrap();
    phone
        .wait_for(NOTES, "|You were logged out: the server is shutting down.|")
        .await;
    let report = server.task.await.unwrap();
    assert!(report.is_clean(), "{report:?}");
    for browser in [phone, laptop, bobs] {
        browser.quit().await;
    }
}
