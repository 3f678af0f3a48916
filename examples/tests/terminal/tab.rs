//! A tab, as the page keeps it.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use session_test::{Message, WebSocket};
use tokio::time::timeout;

use crate::kit::{PATIENCE, in_time};

/// More messages than the server may take before its shell reads any.
const MOST_UNREAD: usize = 10_000;

pub(crate) struct Tab {
    socket: WebSocket,
    rows: Vec<String>,
    /// The last picture, but for its rows.
    pub(crate) last: Value,
    closed: Option<(u16, String)>,
}

impl Tab {
    pub(crate) fn new(socket: WebSocket) -> Self {
        Self {
            socket,
            rows: Vec::new(),
            last: Value::Null,
            closed: None,
        }
    }

    /// Types text, as bytes.
    pub(crate) async fn types(&mut self, keys: &str) {
        self.sends(keys.as_bytes().to_vec()).await;
    }

    pub(crate) async fn sends(&mut self, keys: Vec<u8>) {
        self.socket.send_binary(keys).await;
    }

    /// Sends keys until the server takes no more for now. Returns how many messages it has taken.
    pub(crate) async fn stuffs(&mut self, keys: &[u8]) -> usize {
        for sent in 0..MOST_UNREAD {
            let send = self.socket.send_binary(keys.to_vec());
            // A message that the server has room for leaves at once.
            if timeout(Duration::from_millis(500), send).await.is_err() {
                return sent;
            }
        }
        panic!("it takes them all, or is closed");
    }

    pub(crate) async fn resizes(&mut self, columns: u32, rows: u32) {
        self.wishes(&json!({ "resize": [columns, rows] })).await;
    }

    pub(crate) async fn wishes(&mut self, wish: &Value) {
        self.socket.send_text(wish.to_string()).await;
    }

    /// The text of the screen.
    pub(crate) fn text(&self) -> String {
        let lines = self.rows.iter().map(|row| row.trim_end());
        lines.collect::<Vec<_>>().join("\n").trim_end().to_owned()
    }

    /// Takes in the next message.
    async fn next(&mut self) {
        match self.socket.next().await {
            Some(Message::Text(picture)) => self.draw(&picture),
            Some(Message::Close { code, reason, .. }) => self.closed = Some((code, reason)),
            other => panic!("{other:?}"),
        }
    }

    fn draw(&mut self, picture: &str) {
        let mut picture: Value = serde_json::from_str(picture).expect("it is JSON");
        let changed = picture["changed"].take();
        let rows = picture["rows"].as_u64().expect("it is a number");
        let rows = usize::try_from(rows).expect("it is small");
        self.rows.resize(rows, String::new());
        for change in changed.as_array().expect("it is a list") {
            let row = change[0].as_u64().and_then(|row| usize::try_from(row).ok());
            let runs = change[1].as_array().expect("it is a list").iter();
            let text = runs.map(|run| run["text"].as_str().expect("it is text"));
            self.rows[row.expect("it is small")] = text.collect();
        }
        self.last = picture;
    }

    /// Waits until the screen is as wished.
    pub(crate) async fn until(&mut self, is_so: impl Fn(&Self) -> bool) {
        let comes = async {
            while !is_so(self) {
                assert!(self.closed.is_none(), "{:?}:\n{}", self.closed, self.text());
                self.next().await;
            }
        };
        let came = timeout(PATIENCE, comes).await;
        assert!(came.is_ok(), "it did not come:\n{}", self.text());
    }

    /// Waits until the screen ends with one of these, and returns it all.
    pub(crate) async fn shows(&mut self, ends: &[&str]) -> String {
        let is_there = |tab: &Self| ends.iter().any(|end| tab.text().ends_with(end));
        self.until(is_there).await;
        self.text()
    }

    /// Waits until the screen has this text.
    pub(crate) async fn has(&mut self, text: &str) {
        self.until(|tab| tab.text().contains(text)).await;
    }

    /// Runs a command that prints numbers between `<` and `>`, and returns them.
    pub(crate) async fn numbers(&mut self, command: &str) -> Vec<u32> {
        static COMMANDS: AtomicU32 = AtomicU32::new(1);
        let number = COMMANDS.fetch_add(1, Ordering::Relaxed);
        // Not as it is typed.
        let begin = format!("={number}=\n");
        self.types(&format!("clear; echo =$(({number}))=; {command}\r"))
            .await;
        let printed = |tab: &Self| printed(tab.text().rsplit_once(&begin)?.1);
        self.until(|tab| printed(tab).is_some()).await;
        printed(self).expect("it has just been there")
    }

    /// Reads until the screen has this text, or the server has closed the socket.
    pub(crate) async fn reads_until(&mut self, text: &str) {
        let reads = async {
            while self.closed.is_none() && !self.text().contains(text) {
                self.next().await;
            }
        };
        timeout(PATIENCE, reads).await.expect("it ends");
    }

    /// Waits until the server closes the socket, and returns the code and the reason.
    pub(crate) async fn closes(&mut self) -> (u16, String) {
        let closes = async {
            loop {
                match &self.closed {
                    Some(closed) => return closed.clone(),
                    None => self.next().await,
                }
            }
        };
        in_time(closes).await
    }
}

/// The numbers between `<` and `>`.
fn printed(screen: &str) -> Option<Vec<u32>> {
    let (_, rest) = screen.rsplit_once('<')?;
    let (numbers, _) = rest.split_once('>')?;
    let numbers = numbers.split_whitespace().map(|number| number.parse().ok());
    numbers.collect()
}
