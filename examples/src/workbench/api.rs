//! The server's routes.

use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::http::StatusCode;
use axum::middleware::{from_fn, map_response};
use axum::response::sse::{Event, Sse};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use futures_util::{Stream, StreamExt as _};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use session_axum::{CookieTransport, LazySession, Props, Session, SessionLayer};
use session_core::SessionManager;

use super::blocking;
use super::database::Database;
use super::problem::Problem;
use super::runner::{Runner, State as RunnerState, Summary};
use super::set::Workbench;
use super::tables::{self, Tables};
use crate::local::{MOST_BYTES, Reply, as_problem, only_own_pages, whole};

/// The layer of sessions, for visitors who reach the server on this port.
pub(crate) fn session_layer(sessions: SessionManager, port: u16) -> SessionLayer {
    // Cookies are not separated by port: under one name, two workbenches on one host would throw out each other's
    // visitors. Not `Secure`, since not every client sends such a cookie back over plain http on loopback.
    let transport = CookieTransport::new(format!("workbench-{port}")).with_secure(false);
    SessionLayer::new(sessions).with_transport(transport)
}

/// All routes, with their sessions.
pub(crate) fn router(database: Database, sessions: SessionLayer) -> Router {
    Router::new()
        .route("/", get(|| async { Html(include_str!("page.html")) }))
        .route("/api/tables", get(list_tables))
        .route("/api/state", get(state))
        .route("/api/query", post(query))
        .route("/api/runners/{id}", get(rows))
        .route("/api/runners/{id}/events", get(progress))
        .route("/api/runners/{id}/cancel", post(cancel))
        .route("/api/logout", post(log_out))
        .with_state(database)
        .layer(sessions)
        // Outside the sessions: a request that is refused, or whose body never arrives, enters none.
        .layer(from_fn(whole))
        .layer(DefaultBodyLimit::max(MOST_BYTES))
        .layer(from_fn(only_own_pages))
        .layer(map_response(as_problem))
}

#[derive(Deserialize)]
struct Statement {
    sql: String,
    #[serde(default)]
    background: bool,
}

/// Runs SQL on the visitor's own connection, which the first query opens.
///
/// In the foreground, the answer has the first page of rows. In the background it is the runner's id, and the
/// pages can be read while the query goes on.
async fn query(
    visitor: LazySession,
    Json(statement): Json<Statement>,
) -> Result<Response, Problem> {
    if statement.sql.contains('\0') {
        return Err(Problem::ZeroByte);
    }
    // The statement has arrived, so a session is created if the visitor has none.
    let session = visitor.session()?;
    let workbench = visitor.props::<Workbench>()?;
    let connection = workbench.connection().await?;
    let runner = workbench
        .runners()?
        .start(&session, &workbench, connection, statement.sql)?;
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

/// Returns a page of a query's rows. Waits for it while the query runs.
async fn rows(
    workbench: Option<Props<Workbench>>,
    Path(id): Path<u64>,
    Query(PageNumber { page: number }): Query<PageNumber>,
) -> Result<Reply<Page>, Problem> {
    page(find(workbench.as_ref(), id)?, number).await
}

/// Returns an event stream of a query's progress, until it stops. The layer also ends it with the session. Its last
/// event then says that the query is running.
async fn progress(
    workbench: Option<Props<Workbench>>,
    Path(id): Path<u64>,
) -> Result<Sse<impl Stream<Item = Result<Event, axum::Error>>>, Problem> {
    let runner = find(workbench.as_ref(), id)?;
    let events = runner.progress();
    Ok(Sse::new(
        events.map(|summary| Event::default().json_data(summary)),
    ))
}

/// Stops a query and waits until it has stopped.
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
    /// Set if the last transaction was rolled back for others that waited to write. The next query is told so, too.
    #[serde(skip_serializing_if = "is_false")]
    rolled_back: bool,
    runners: Vec<Listed>,
}

#[derive(Serialize)]
struct Listed {
    #[serde(flatten)]
    summary: Summary,
    sql: String,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's form")]
fn is_false(value: &bool) -> bool {
    !value
}

/// Returns the state of the visitor's session. Waits for no statement, and does not create a session.
async fn state(workbench: Option<Props<Workbench>>) -> Reply<Overview> {
    let runners = workbench
        .as_ref()
        .and_then(|workbench| workbench.runners.get());
    let listed = |runner: Arc<Runner>| Listed {
        summary: runner.summary(),
        sql: String::clone(&runner.sql()),
    };
    Reply(Overview {
        session: workbench.is_some(),
        transaction: runners.is_some_and(|runners| runners.in_transaction()),
        rolled_back: runners.is_some_and(|runners| runners.is_rolled_back()),
        runners: runners
            .map(|runners| runners.all().into_iter().map(listed).collect())
            .unwrap_or_default(),
    })
}

/// Returns the tables as the visitor sees them, with temp tables. While a statement holds the connection, returns only
/// the shared ones.
async fn list_tables(
    workbench: Option<Props<Workbench>>,
    State(database): State<Database>,
) -> Result<Reply<Tables>, Problem> {
    let own = workbench.and_then(|workbench| workbench.connection.try_lock());
    let tables = blocking(move || match own {
        Some(connection) => tables::list(connection.sqlite()),
        None => tables::list(&database.open()?),
    });
    Ok(Reply(tables.await.map_err(Problem::Database)?))
}

/// Ends the session. The log shows the steps that follow, in order.
async fn log_out(session: Option<Session>) -> StatusCode {
    if let Some(session) = session {
        session.terminate();
    }
    StatusCode::NO_CONTENT
}
