//! The program, from the command line to the orderly end.

use std::env;
use std::error::Error;
use std::ffi::OsString;
use std::process::ExitCode;

use tokio::runtime::Runtime;

use super::args::{Args, Options, USAGE};
use super::{Terminal, app};
use crate::local::{End, GRACE, exit_code, failure, listen, serve_until_told, start_log};

const PROGRAM: &str = "terminal";

/// The variables of this process's environment that shells get. Others may hold a secret, such as a token.
const PASSED_ON: [&str; 8] = [
    "HOME", "USER", "LOGNAME", "PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ",
];

/// The program. It returns 2 for a wrong command line, 1 if it cannot serve, and 130 if a second signal has cut its end short.
pub fn main() -> ExitCode {
    let options = match Args::parse(env::args_os().skip(1), env::var_os("SHELL")) {
        Ok(Args::Serve(options)) => options,
        Ok(Args::Help) => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        Err(message) => return failure(PROGRAM, message, 2),
    };
    start_log();
    let runtime = match Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return failure(PROGRAM, error, 1),
    };
    let served = runtime.block_on(serve(options));
    // Drops the tasks of shells that a second signal has cut short. They kill what is left.
    runtime.shutdown_timeout(GRACE);
    exit_code(PROGRAM, served)
}

async fn serve(options: Options) -> Result<End, Box<dyn Error>> {
    let listener = listen(options.listen).await?;
    let address = listener.local_addr()?;
    let key = new_key()?;
    let terminal = Terminal {
        shell: options.shell,
        environment: environment(),
    };
    let sessions = terminal.sessions(options.idle);
    let app = app(sessions.clone(), &key, address.port());
    println!("listening on http://{address}/{key}/");
    tracing::info!(
        "for this machine only, and for pages of its own: whoever knows the address has a shell of yours"
    );
    Ok(serve_until_told(listener, app, sessions).await)
}

/// A new key: 128 random bits.
fn new_key() -> Result<String, getrandom::Error> {
    let mut key = [0; 16];
    getrandom::fill(&mut key)?;
    Ok(format!("{:032x}", u128::from_ne_bytes(key)))
}

/// The environment of shells.
fn environment() -> Vec<(OsString, OsString)> {
    let present = |name: &str| Some((name.into(), env::var_os(name)?));
    PASSED_ON.into_iter().filter_map(present).collect()
}
