//! What the server answers to.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::middleware::map_response;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use session_axum::{CookieTransport, Props, Session, SessionLayer};
use session_core::SessionManager;

use super::blocking;
use super::database::Database;
use super::problem::{Problem, as_problem};
use super::runner::{Runner, State as RunnerState, Summary};
use super::set::Workbench;
use super::tables::{self, Table};

/// All routes, with their sessions.
pub(crate) fn router(database: Database, sessions: SessionManager) -> Router {
    // Served over plain http on loopback, where a `Secure` cookie would not come back.
    let transport = CookieTransport::new("id").with_secure(false);
    Router::new()
        .route("/", get(|| async { Html(include_str!("page.html")) }))
        .route("/api/tables", get(list_tables))
        .route("/api/state", get(state))
        .route("/api/query", post(query))
        .route("/api/runners/{id}", get(rows))
        .route("/api/runners/{id}/cancel", post(cancel))
        .route("/api/logout", post(log_out))
        .with_state(database)
        .layer(map_response(as_problem))
        .layer(SessionLayer::new(sessions).with_transport(transport))
}

#[derive(Deserialize)]
struct Statement {
    sql: String,
    #[serde(default)]
    background: bool,
}

/// Runs SQL on the visitor's own connection, which is opened if it is the first.
///
/// In the foreground, the answer has the first page of rows. In the background it is the runner's id, and the
/// pages can be had while the query goes on.
async fn query(
    session: Session,
    workbench: Props<Workbench>,
    Json(statement): Json<Statement>,
) -> Result<Response, Problem> {
    let connection = workbench.connection().await?;
    let runner = workbench
        .runners()?
        .start(&session, connection, statement.sql)?;
    if statement.background {
        return Ok((StatusCode::ACCEPTED, Reply(runner.summary())).into_response());
    }
    // A client that hangs up has no use for the rest.
    let hung_up = runner.cancel_on_drop();
    let state = runner.stopped().await?;
    hung_up.disarm();
    match state {
        RunnerState::Failed(error) => Err(Problem::Query(error)),
        _ => Ok(page(runner, 0).await?.into_response()),
    }
}

#[derive(Deserialize)]
struct PageNumber {
    #[serde(default)]
    page: usize,
}

#[derive(Serialize)]
struct Page {
    #[serde(flatten)]
    summary: Summary,
    #[serde(rename = "page")]
    number: usize,
    rows: Box<RawValue>,
}

/// A page of a query's rows; waits for it while the query runs.
async fn rows(
    workbench: Option<Props<Workbench>>,
    Path(id): Path<u64>,
    Query(PageNumber { page: number }): Query<PageNumber>,
) -> Result<Reply<Page>, Problem> {
    page(find(workbench.as_ref(), id)?, number).await
}

/// Stops a query and waits until it has.
async fn cancel(
    workbench: Option<Props<Workbench>>,
    Path(id): Path<u64>,
) -> Result<Reply<Summary>, Problem> {
    let runner = find(workbench.as_ref(), id)?;
    runner.cancel();
    runner.stopped().await?;
    Ok(Reply(runner.summary()))
}

fn find(workbench: Option<&Props<Workbench>>, id: u64) -> Result<Arc<Runner>, Problem> {
    let runners = workbench.and_then(|workbench| workbench.runners.get());
    runners
        .and_then(|runners| runners.get(id))
        .ok_or(Problem::NoRunner(id))
}

async fn page(runner: Arc<Runner>, number: usize) -> Result<Reply<Page>, Problem> {
    runner.reached(number).await?;
    let rows = runner.page(number).await.map_err(Problem::Rows)?;
    let rows = rows.ok_or(Problem::NoPage {
        runner: runner.id(),
        page: number,
    })?;
    Ok(Reply(Page {
        summary: runner.summary(),
        number,
        rows,
    }))
}

#[derive(Serialize)]
struct Overview {
    session: bool,
    transaction: bool,
    runners: Vec<Listed>,
}

#[derive(Serialize)]
struct Listed {
    #[serde(flatten)]
    summary: Summary,
    sql: String,
}

/// What the visitor's session is at. Waits for no statement, and makes no session of a stranger.
async fn state(workbench: Option<Props<Workbench>>) -> Reply<Overview> {
    let runners = workbench
        .as_ref()
        .and_then(|workbench| workbench.runners.get());
    let listed = |runner: Arc<Runner>| Listed {
        summary: runner.summary(),
        sql: runner.sql().to_owned(),
    };
    Reply(Overview {
        session: workbench.is_some(),
        transaction: runners.is_some_and(|runners| runners.in_transaction()),
        runners: runners
            .map(|runners| runners.all().into_iter().map(listed).collect())
            .unwrap_or_default(),
    })
}

/// The tables as the visitor sees them, temp tables too, unless a statement has the connection; else as all do.
async fn list_tables(
    workbench: Option<Props<Workbench>>,
    State(database): State<Database>,
) -> Result<Reply<Vec<Table>>, Problem> {
    let own = workbench.and_then(|workbench| workbench.connection.try_lock());
    let tables = blocking(move || match own {
        Some(connection) => tables::list(connection.sqlite()),
        None => tables::list(&database.open()?),
    });
    Ok(Reply(tables.await.map_err(Problem::Database)?))
}

/// Ends the session; what follows, in order, is in the log.
async fn log_out(session: Option<Session>) -> StatusCode {
    if let Some(session) = session {
        session.terminate();
    }
    StatusCode::NO_CONTENT
}

/// JSON that ends its line, for those who talk to the server from a shell.
struct Reply<T>(T);

impl<T: Serialize> IntoResponse for Reply<T> {
    fn into_response(self) -> Response {
        let mut json = serde_json::to_vec(&self.0).expect("its keys are strings");
        json.push(b'\n');
        ([(CONTENT_TYPE, "application/json")], json).into_response()
    }
}
