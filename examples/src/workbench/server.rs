//! The program, from the command line to the orderly end.

use std::io::{self, IsTerminal};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use axum::middleware::from_fn;
use futures_util::{FutureExt, poll};
use session_axum::shutdown_signal;
use session_core::{LifecycleEvent, LifecycleEvents, SessionManager, Subject, WhenFull};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio::time::timeout;
use tracing_subscriber::EnvFilter;

use super::api;
use super::args::{Args, Options, USAGE};
use super::database::Database;
use super::file_size;
use crate::local::only_local;

/// A session holds up to a dozen open files, and a process is often limited to 1024.
const MAX_SESSIONS: usize = 64;
/// How long a statement waits for the previous one.
const LEND_TIMEOUT: Duration = Duration::from_secs(5);
/// How much time requests under way have when the server ends.
pub(crate) const GRACE: Duration = Duration::from_secs(2);
/// How long the shutdown may take in all.
pub(crate) const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(10);
/// How long the log may take after that.
const LOG_TIMEOUT: Duration = Duration::from_secs(1);

/// The reason why the server does not serve.
#[derive(Debug, thiserror::Error)]
enum ServeError {
    #[error("cannot listen on {address}: {error}")]
    Listen {
        address: SocketAddr,
        error: io::Error,
    },
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// The program. It returns 2 for a wrong command line or input, 1 if it cannot serve, and 130 if it was told to stop
/// at once.
pub fn main() -> ExitCode {
    let options = match Args::parse(std::env::args_os().skip(1)) {
        Ok(Args::Serve(options)) => options,
        Ok(Args::Help) => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        Err(message) => return failure(&message, 2),
    };
    start_log();

    // Removed when this function returns.
    let scratch = match tempfile::Builder::new().prefix("workbench-").tempdir() {
        Ok(scratch) => scratch,
        Err(error) => return failure(&format!("cannot make a temporary directory: {error}"), 1),
    };
    let database = match Database::load(&options.files, scratch.path(), options.patience) {
        Ok(database) => database,
        Err(error) => return failure(&error.to_string(), 2),
    };
    let runtime = match Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return failure(&error.to_string(), 1),
    };
    let ended = runtime.block_on(serve(options, database));
    // A statement that does not stop in time does not keep the process alive.
    runtime.shutdown_background();
    match ended {
        Ok(End::InOrder) => ExitCode::SUCCESS,
        Ok(End::AtOnce) => ExitCode::from(130),
        Err(error) => failure(&error.to_string(), 1),
    }
}

/// Logs to standard error.
pub(crate) fn start_log() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let colors = io::stderr().is_terminal();
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(colors)
        .with_target(false)
        // It would be written to the same place, and a log that nobody reads any more would end the process.
        .log_internal_errors(false)
        .init();
}

/// Creates the manager of the workbench's sessions.
pub(crate) fn manage_sessions(database: &Database, idle: Duration) -> SessionManager {
    if let Err(error) = file_size::bound(database.most_file_bytes()) {
        tracing::warn!(%error, "the size of files is not bounded");
    }
    SessionManager::builder()
        .idle_timeout(idle)
        .lend_timeout(LEND_TIMEOUT)
        .max_sessions(MAX_SESSIONS, WhenFull::EvictIdlest)
        .state(database.clone())
        .build()
        .expect("there is a runtime, and no setting is zero")
}

/// How the server was told to stop.
enum End {
    InOrder,
    /// By a second signal.
    AtOnce,
}

fn failure(message: &str, code: u8) -> ExitCode {
    eprintln!("workbench: {message}");
    ExitCode::from(code)
}

async fn serve(options: Options, database: Database) -> Result<End, ServeError> {
    let address = options.listen;
    let listener = TcpListener::bind(address)
        .await
        .map_err(|error| ServeError::Listen { address, error })?;
    let sessions = manage_sessions(&database, options.idle);
    let told = tokio::spawn(tell(sessions.subscribe()));
    let address = listener.local_addr()?;
    let layer = api::session_layer(sessions.clone(), address.port());
    let mut app = api::router(database, layer);
    if address.ip().is_loopback() {
        app = app.layer(from_fn(only_local));
    }
    println!("listening on http://{address}");
    tracing::info!(
        "for people who trust each other on one machine: SQLite is not a sandbox for the SQL of strangers"
    );
    let (listens, listening) = oneshot::channel();
    let signal = async {
        shutdown_signal().await;
        // At a second signal the server cuts its connections, and the program ends with the code for it.
        let mut second = Box::pin(shutdown_signal());
        if poll!(&mut second).is_pending() {
            let _ = listens.send(second);
        }
        tracing::info!("shutting down; once more to stop at once");
    };
    let report = session_axum::serve(listener, app, sessions)
        .with_graceful_shutdown(signal)
        .grace(GRACE)
        .timeout(SHUTDOWN_TIMEOUT)
        .await;
    tracing::info!(ended = report.ended(), unfinished = ?report.unfinished(), "sessions shut down");
    // The manager was dropped with the server, so the events end, unless a session is held.
    let _ = timeout(LOG_TIMEOUT, told).await;
    let second = listening.await.ok().and_then(FutureExt::now_or_never);
    Ok(match second {
        Some(()) => End::AtOnce,
        None => End::InOrder,
    })
}

/// Logs how sessions end.
pub(crate) async fn tell(mut events: LifecycleEvents) {
    while let Some(event) = events.next().await {
        match event {
            Ok(LifecycleEvent::Completed(Subject::Session(session), cause, ..)) => {
                tracing::info!(session, %cause, "session ended");
            }
            Ok(LifecycleEvent::CleanedUp(Subject::Session(session), report)) => {
                tracing::info!(session, closed = report.closed(), "session cleaned up");
            }
            Ok(_) => {}
            Err(missed) => tracing::warn!("{missed}"),
        }
    }
}
