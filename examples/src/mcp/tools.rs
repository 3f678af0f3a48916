//! The tools. Those of a session need no argument to find their desk; the others take its handle.
#![expect(
    clippy::unused_self,
    clippy::needless_pass_by_value,
    reason = "a tool is a method that takes its arguments by value"
)]

use rmcp::{ErrorData, Json, ServerHandler, tool, tool_handler, tool_router};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use session_rmcp::{Handle, Handles, McpProps, Parameters};

use super::desk::Desk;
use super::transaction::Transaction;

pub(super) struct Tools;

#[derive(Deserialize, JsonSchema)]
struct Query {
    /// One SQL statement.
    sql: String,
}

#[derive(Serialize, Deserialize, JsonSchema)]
struct AtDesk {
    desk: Handle<Desk>,
}

#[derive(Deserialize, JsonSchema)]
struct QueryAtDesk {
    desk: Handle<Desk>,
    /// One SQL statement.
    sql: String,
}

#[tool_router]
impl Tools {
    /// Runs a SQL statement in the session's transaction, which stays open.
    #[tool]
    async fn query(
        &self,
        desk: McpProps<Desk>,
        Parameters(Query { sql }): Parameters<Query>,
    ) -> Result<String, String> {
        query(&desk, sql).await
    }

    /// Commits the session's transaction, and begins the next one.
    #[tool]
    async fn commit(&self, desk: McpProps<Desk>) -> Result<String, String> {
        commit(&desk).await
    }

    /// Counts primes in the background, until the session ends: starts the job, and later returns how far it is.
    #[tool]
    fn primes(&self, desk: McpProps<Desk>) -> Result<String, String> {
        primes(&desk)
    }

    /// Opens a desk, with a transaction and a job of its own, for clients without a session. Returns its handle.
    #[tool]
    fn open_desk(&self, handles: Handles) -> Result<Json<AtDesk>, ErrorData> {
        Ok(Json(AtDesk {
            desk: handles.mint()?,
        }))
    }

    /// Runs a SQL statement in the transaction of a desk, which stays open.
    #[tool]
    async fn query_at_desk(
        &self,
        Parameters(QueryAtDesk { desk, sql }): Parameters<QueryAtDesk>,
    ) -> Result<String, String> {
        query(&desk, sql).await
    }

    /// Commits the transaction of a desk, and begins the next one.
    #[tool]
    async fn commit_at_desk(
        &self,
        Parameters(AtDesk { desk }): Parameters<AtDesk>,
    ) -> Result<String, String> {
        commit(&desk).await
    }

    /// Counts primes in the background of a desk.
    #[tool]
    fn primes_at_desk(
        &self,
        Parameters(AtDesk { desk }): Parameters<AtDesk>,
    ) -> Result<String, String> {
        primes(&desk)
    }

    /// Closes a desk: its job is stopped, and its transaction rolled back.
    #[tool]
    async fn close_desk(
        &self,
        Parameters(AtDesk { desk }): Parameters<AtDesk>,
    ) -> Result<String, String> {
        let report = Handle::close(desk).await;
        if report.is_clean() {
            Ok("closed".to_owned())
        } else {
            Err(format!("{:?}", report.problems()))
        }
    }
}

#[tool_handler]
impl ServerHandler for Tools {}

async fn query(desk: &Desk, sql: String) -> Result<String, String> {
    let transaction = desk.transaction().await.map_err(text)?;
    let (_transaction, rows) = transaction
        .blocking(move |transaction| transaction.query(&sql))
        .await;
    rows.map_err(text)
}

async fn commit(desk: &Desk) -> Result<String, String> {
    let transaction = desk.transaction().await.map_err(text)?;
    let (_transaction, done) = transaction.blocking(Transaction::commit).await;
    done.map(|()| "committed".to_owned()).map_err(text)
}

fn primes(desk: &Desk) -> Result<String, String> {
    Ok(desk.primes().map_err(text)?.progress())
}

/// Returns an error as the text of a tool's result, which the model reads.
fn text(error: impl std::error::Error) -> String {
    error.to_string()
}
