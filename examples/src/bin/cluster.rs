//! Serves the SQL workbench from three nodes: see `examples/README.md`.

use std::process::ExitCode;

#[cfg(unix)]
fn main() -> ExitCode {
    examples::cluster::main()
}

#[cfg(not(unix))]
fn main() -> ExitCode {
    eprintln!("cluster: it runs on Unix only");
    ExitCode::FAILURE
}
