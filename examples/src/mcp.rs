//! An MCP server on SQLite: each client works in a transaction of its own, which stays open from call to call.

mod desk;
mod primes;
mod tools;
mod transaction;

use std::error::Error;
use std::io::{self, IsTerminal as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use axum::Router;
use rmcp::transport::streamable_http_server::StreamableHttpServerConfig;
use session_axum::shutdown_signal;
use session_core::{SessionManager, WhenFull};
use session_rmcp::LiveSessions;
use tempfile::TempDir;
use tokio::net::TcpListener;

use tools::Tools;

const USAGE: &str = "\
usage: mcp [ADDRESS [DATABASE]]

Serves MCP at http://ADDRESS/mcp, 127.0.0.1:8000 if not given, on a SQLite database, one with a few plants if not given.
";

/// The state of the sessions.
#[derive(Debug)]
struct Database {
    path: PathBuf,
}

/// The program. It returns 2 for a wrong command line, and 1 if it cannot serve.
pub fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .with_env_filter("info,rmcp=warn")
        .init();
    let mut arguments = std::env::args().skip(1);
    let address = arguments
        .next()
        .unwrap_or_else(|| "127.0.0.1:8000".to_owned());
    let (Ok(address), database, None) = (address.parse(), arguments.next(), arguments.next())
    else {
        eprint!("{USAGE}");
        return ExitCode::from(2);
    };
    let served = sample().and_then(|sample| {
        let path = database.map_or_else(|| sample.path().join("plants.db"), PathBuf::from);
        serve(address, Database { path })
    });
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

#[tokio::main]
async fn serve(address: SocketAddr, database: Database) -> Result<(), Box<dyn Error>> {
    let sessions = SessionManager::builder()
        .idle_timeout(Duration::from_secs(10 * 60))
        .max_sessions(64, WhenFull::EvictIdlest)
        .state(database)
        .build()?;
    let live = LiveSessions::new(sessions.clone());
    let service = live.service(|| Ok(Tools), StreamableHttpServerConfig::default());

    let listener = TcpListener::bind(address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    let app = Router::new().nest_service("/mcp", service);
    let report = session_axum::serve(listener, app, sessions)
        .with_graceful_shutdown(shutdown_signal())
        .await;
    tracing::info!(ended = report.ended(), clean = report.is_clean(), "served");
    Ok(())
}

/// A database to play with.
fn sample() -> Result<TempDir, Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let sqlite = rusqlite::Connection::open(folder.path().join("plants.db"))?;
    sqlite.execute_batch(
        "PRAGMA journal_mode = wal;
         CREATE TABLE plants (name TEXT, height REAL);
         INSERT INTO plants VALUES ('fern', 0.8), ('lily', 0.6), ('oak', 31)",
    )?;
    Ok(folder)
}
