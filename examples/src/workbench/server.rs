//! The program, from the command line to the orderly end.

use std::error::Error;
use std::process::ExitCode;

use tokio::runtime::Runtime;

use super::args::{Args, Options, USAGE};
use super::database::Database;
use super::{app, manage_sessions};
use crate::local::{End, exit_code, failure, listen, serve_until_told, start_log};

const PROGRAM: &str = "workbench";

/// The program. It returns 2 for a wrong command line or input, 1 if it cannot serve, and 130 if it was told to stop
/// at once.
pub fn main() -> ExitCode {
    let options = match Args::parse(std::env::args_os().skip(1)) {
        Ok(Args::Serve(options)) => options,
        Ok(Args::Help) => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        Err(message) => return failure(PROGRAM, message, 2),
    };
    start_log();

    // Removed when this function returns.
    let scratch = match tempfile::Builder::new().prefix("workbench-").tempdir() {
        Ok(scratch) => scratch,
        Err(error) => {
            return failure(
                PROGRAM,
                format!("cannot make a temporary directory: {error}"),
                1,
            );
        }
    };
    let database = match Database::load(&options.files, scratch.path(), options.patience) {
        Ok(database) => database,
        Err(error) => return failure(PROGRAM, error, 2),
    };
    let runtime = match Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return failure(PROGRAM, error, 1),
    };
    let ended = runtime.block_on(serve(options, database));
    // A statement that does not stop in time does not keep the process alive.
    runtime.shutdown_background();
    exit_code(PROGRAM, ended)
}

async fn serve(options: Options, database: Database) -> Result<End, Box<dyn Error>> {
    let listener = listen(options.listen).await?;
    let sessions = manage_sessions(&database, options.idle);
    let address = listener.local_addr()?;
    let app = app(database, sessions.clone(), address);
    println!("listening on http://{address}");
    tracing::info!(
        "for people who trust each other on one machine: SQLite is not a sandbox for the SQL of strangers"
    );
    Ok(serve_until_told(listener, app, sessions).await)
}
