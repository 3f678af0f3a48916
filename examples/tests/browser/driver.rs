//! Chromium, controlled through its own driver over [WebDriver](https://www.w3.org/TR/webdriver2/).
//!
//! The client is a page of code, because the existing libraries bring second copies of half the dependency tree.

use std::process::Stdio;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http_body_util::BodyExt as _;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

/// How long anything may take before a test fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// One browser. Both programs are killed when it is dropped.
pub(crate) struct Driver {
    _program: Child,
    profile: TempDir,
    port: u16,
    session: String,
    /// The browser's process, which outlives its driver if a test fails.
    browser: Option<u64>,
}

impl Drop for Driver {
    fn drop(&mut self) {
        if let Some(browser) = self.browser {
            let browser = browser.to_string();
            let _gone = std::process::Command::new("kill").arg(browser).status();
        }
    }
}

impl Driver {
    pub(crate) async fn start() -> Self {
        let mut program = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("`chromedriver` starts: `cargo xtask test` installs it");
        let output = BufReader::new(program.stdout.take().unwrap());
        let mut lines = output.lines();
        let port = loop {
            let line = timeout(PATIENCE, lines.next_line()).await.unwrap();
            let line = line.unwrap().expect("it says its port");
            if let Some((_, port)) = line.split_once("started successfully on port ") {
                break port.trim_end_matches('.').parse().unwrap();
            }
        };
        // Later output must have a reader.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let profile = tempfile::tempdir().unwrap();
        let mut driver = Self {
            _program: program,
            port,
            session: String::new(),
            browser: None,
            profile,
        };
        let arguments = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            &format!("--user-data-dir={}", driver.profile.path().display()),
        ];
        let options = json!({ "args": arguments });
        let wanted =
            json!({ "capabilities": { "alwaysMatch": { "goog:chromeOptions": options } } });
        let started = driver.call(Method::POST, "", wanted).await;
        driver.session = format!("/{}", started["sessionId"].as_str().unwrap());
        driver.browser = started["capabilities"]["goog:processID"].as_u64();
        driver
    }

    /// Calls the driver, and returns the value of its answer.
    async fn call(&self, method: Method, path: &str, body: Value) -> Value {
        let address = ("127.0.0.1", self.port);
        let stream = TcpStream::connect(address).await.unwrap();
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let body = if method == Method::POST {
            body.to_string()
        } else {
            String::new()
        };
        let request = Request::builder()
            .method(method)
            .uri(format!("/session{}{path}", self.session))
            .header("host", format!("127.0.0.1:{}", self.port))
            .header("content-type", "application/json")
            .body(Body::from(body))
            .unwrap();
        let answer = timeout(PATIENCE, sender.send_request(request)).await;
        let answer = answer.expect("the browser answers in time").unwrap();
        let status = answer.status();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        let mut answer: Value = serde_json::from_slice(&body).unwrap();
        assert!(status.is_success(), "{path}: {answer}");
        answer["value"].take()
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        self.call(Method::POST, path, body).await
    }

    pub(crate) async fn open(&self, url: &str) {
        self.post("/url", json!({ "url": url })).await;
    }

    pub(crate) async fn run(&self, script: &str, arguments: Value) -> Value {
        let script = json!({ "script": script, "args": arguments });
        self.post("/execute/sync", script).await
    }

    /// Runs a script that calls its last argument when it is done.
    pub(crate) async fn run_async(&self, script: &str, arguments: Value) -> Value {
        let script = json!({ "script": script, "args": arguments });
        self.post("/execute/async", script).await
    }

    /// Clicks on the element with this id, as a mouse does.
    pub(crate) async fn click(&self, id: &str) {
        let path = format!("{}/click", self.element(id).await);
        self.post(&path, json!({})).await;
    }

    /// Types into the element with this id, as a keyboard does: `\u{e007}` is Enter.
    pub(crate) async fn type_into(&self, id: &str, text: &str) {
        let path = format!("{}/value", self.element(id).await);
        self.post(&path, json!({ "text": text })).await;
    }

    async fn element(&self, id: &str) -> String {
        let selector = json!({ "using": "css selector", "value": format!("#{id}") });
        let found = self.post("/element", selector).await;
        let element = found.as_object().unwrap().values().next().unwrap();
        format!("/element/{}", element.as_str().unwrap())
    }

    /// Types on the element that has the focus: text, and keys by their names in WebDriver's private characters.
    pub(crate) async fn press(&self, keys: &str) {
        self.act(
            keys.chars()
                .flat_map(|key| [("keyDown", key), ("keyUp", key)]),
        )
        .await;
    }

    /// Presses the key while the other one is held down.
    pub(crate) async fn press_with(&self, held: char, key: char) {
        self.act([
            ("keyDown", held),
            ("keyDown", key),
            ("keyUp", key),
            ("keyUp", held),
        ])
        .await;
    }

    async fn act(&self, actions: impl IntoIterator<Item = (&str, char)>) {
        let actions = actions
            .into_iter()
            .map(|(kind, key)| json!({ "type": kind, "value": key }));
        let actions: Vec<_> = actions.collect();
        let keyboard = json!({ "type": "key", "id": "keyboard", "actions": actions });
        self.post("/actions", json!({ "actions": [keyboard] }))
            .await;
    }

    /// Calls a method of the browser's own protocol.
    pub(crate) async fn devtools(&self, method: &str, parameters: Value) {
        let call = json!({ "cmd": method, "params": parameters });
        self.post("/goog/cdp/execute", call).await;
    }

    /// A picture of the page, as PNG.
    pub(crate) async fn picture(&self) -> Vec<u8> {
        let picture = self.call(Method::GET, "/screenshot", Value::Null).await;
        STANDARD.decode(picture.as_str().unwrap()).unwrap()
    }

    /// The text that the page shows.
    pub(crate) async fn text(&self) -> String {
        let text = self.run("return document.body.innerText;", json!([])).await;
        text.as_str().unwrap().trim().to_owned()
    }

    pub(crate) async fn wait_for_path(&self, path: &str) {
        self.wait_for(
            "return document.readyState === 'complete' && location.pathname;",
            path,
        )
        .await;
    }

    pub(crate) async fn wait_for_text(&self, text: &str) {
        self.wait_for("return document.body?.innerText?.trim();", text)
            .await;
    }

    /// Waits until the script returns this, on any page that the browser shows by then.
    pub(crate) async fn wait_for(&self, script: &str, expected: &str) {
        let reached = async {
            while self.run(script, json!([])).await != expected {
                sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(PATIENCE, reached)
            .await
            .unwrap_or_else(|_| panic!("{expected:?} did not come"));
    }

    pub(crate) async fn delete_cookies(&self) {
        self.call(Method::DELETE, "/cookie", Value::Null).await;
    }

    /// The tab in front.
    pub(crate) async fn tab(&self) -> String {
        let tab = self.call(Method::GET, "/window", Value::Null).await;
        tab.as_str().unwrap().to_owned()
    }

    pub(crate) async fn new_tab(&self) -> String {
        let tab = self.post("/window/new", json!({ "type": "tab" })).await;
        tab["handle"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn switch_to(&self, tab: &str) {
        self.post("/window", json!({ "handle": tab })).await;
    }

    /// Ends the browser in order.
    pub(crate) async fn quit(mut self) {
        self.call(Method::DELETE, "", Value::Null).await;
        self.browser = None;
    }
}
