//! Serves a shell to the browser: see `examples/README.md`.

use std::process::ExitCode;

#[cfg(unix)]
fn main() -> ExitCode {
    examples::terminal::main()
}

#[cfg(not(unix))]
fn main() -> ExitCode {
    eprintln!("terminal: it runs on Unix only");
    ExitCode::FAILURE
}
