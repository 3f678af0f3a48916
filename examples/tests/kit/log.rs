//! The lines that a program writes.

use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};
use tokio::sync::watch;
use tokio::time::timeout;

use super::{PATIENCE, in_time};

/// A log: the lines so far, and those to come.
#[derive(Clone)]
pub(crate) struct Log {
    pub(crate) lines: watch::Receiver<Vec<String>>,
    /// Its lines have this text. Others are not its own.
    pub(crate) own: String,
}

impl Log {
    /// The lines of a stream.
    pub(crate) fn of(stream: impl AsyncRead + Unpin + Send + 'static) -> Self {
        let (sender, lines) = watch::channel(Vec::new());
        tokio::spawn(async move {
            let mut stream = BufReader::new(stream).lines();
            while let Ok(Some(line)) = stream.next_line().await {
                sender.send_modify(|lines| lines.push(line));
            }
        });
        let own = String::new();
        Self { lines, own }
    }

    /// Waits until this many lines have `event`.
    pub(crate) async fn wait_for(&self, event: &str, times: usize) {
        let mut lines = self.lines.clone();
        let logged = lines.wait_for(|lines| self.count_in(lines, event) >= times);
        let logged = matches!(timeout(PATIENCE, logged).await, Ok(Ok(_)));
        assert!(logged, "`{event}` did not come:\n{}", self.text());
    }

    /// Waits for the end of the stream.
    pub(crate) async fn ends(&self) {
        let mut lines = self.lines.clone();
        in_time(async { while lines.changed().await.is_ok() {} }).await;
    }

    /// How many lines have `event`.
    pub(crate) fn count(&self, event: &str) -> usize {
        self.count_in(&self.lines.borrow(), event)
    }

    fn count_in(&self, lines: &[String], event: &str) -> usize {
        let lines = lines.iter().filter(|line| line.contains(&self.own));
        lines.filter(|line| line.contains(event)).count()
    }

    /// Fails unless each of these events is logged once, and in this order.
    pub(crate) fn assert_order(&self, events: &[&str]) {
        let text = self.text();
        let seen = text
            .lines()
            .filter_map(|line| events.iter().find(|event| line.contains(**event)));
        assert!(seen.eq(events), "not in the order of {events:?}:\n{text}");
    }

    /// All of it so far.
    pub(crate) fn text(&self) -> String {
        let lines = self.lines.borrow();
        let own = lines.iter().filter(|line| line.contains(&self.own));
        own.map(|line| line.trim_end().to_owned() + "\n").collect()
    }
}
