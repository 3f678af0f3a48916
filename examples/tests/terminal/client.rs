//! A visitor.

use serde_json::{Value, json};
use session_test::{Answer, Browser};

use crate::kit::browser::browser;
use crate::server::Server;
use crate::tab::Tab;

/// One visitor, who knows the key.
pub(crate) struct Client {
    pub(crate) browser: Browser,
    pub(crate) key: String,
}

impl Client {
    pub(crate) fn new(server: &Server) -> Self {
        Self {
            browser: browser(server.address),
            key: server.key.clone(),
        }
    }

    /// A client whose shell runs, with its first tab, whose prompt is there.
    pub(crate) async fn with_tab(server: &Server) -> (Self, Tab) {
        let client = Self::new(server);
        client.open((80, 24)).await.assert_status(201);
        let mut tab = client.attach().await;
        tab.shows(&["$", "#"]).await;
        (client, tab)
    }

    /// The path below the key.
    pub(crate) fn path(&self, below: &str) -> String {
        format!("/{}/{below}", self.key)
    }

    /// Asks for a shell for a tab of this size.
    pub(crate) async fn open(&self, size: (u32, u32)) -> Answer {
        self.asks(&json!({ "size": size })).await
    }

    /// Asks for a shell, in these words.
    pub(crate) async fn asks(&self, body: &Value) -> Answer {
        self.browser.post(&self.path("shell")).json(body).await
    }

    pub(crate) async fn log_out(&self) {
        let answer = self.browser.post(&self.path("logout")).await;
        answer.assert_status(204);
    }

    /// Opens a tab on the shell.
    pub(crate) async fn attach(&self) -> Tab {
        Tab::new(self.browser.websocket(&self.path("socket")).await)
    }
}
