//! A visitor of the workbench.

use serde_json::{Value, json};
use session_test::{Answer, Browser};

/// A query that never ends by itself.
pub(crate) const ENDLESS: &str = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n WHERE i % 1000 = 0";

/// The requests of a visitor.
pub(crate) trait Visitor {
    /// Runs SQL.
    async fn query(&self, sql: &str) -> Answer;

    /// Runs valid SQL, and returns the rows of the first page.
    async fn rows(&self, sql: &str) -> Value;

    /// Starts SQL in the background, and returns its runner's path once its first row is there.
    async fn background(&self, sql: &str) -> String;

    async fn state(&self) -> Value;

    async fn log_out(&self);
}

impl Visitor for Browser {
    async fn query(&self, sql: &str) -> Answer {
        self.post("/api/query").json(&json!({ "sql": sql })).await
    }

    async fn rows(&self, sql: &str) -> Value {
        let answer = self.query(sql).await;
        assert_eq!(answer.status(), 200, "{sql:.999}: {answer}");
        answer.json::<Value>()["rows"].take()
    }

    async fn background(&self, sql: &str) -> String {
        let sql = json!({ "sql": sql, "background": true });
        let started = self.post("/api/query").json(&sql).await;
        let started: Value = started.assert_status(202).json();
        let path = format!("/api/runners/{}", started["id"]);
        self.get(&path).await.assert_status(200);
        path
    }

    async fn state(&self) -> Value {
        self.get("/api/state").await.assert_status(200).json()
    }

    async fn log_out(&self) {
        self.post("/api/logout").await.assert_status(204);
    }
}
