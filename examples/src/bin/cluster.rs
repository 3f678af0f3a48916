//! Serves the SQL workbench from three nodes: see `examples/README.md`.

use std::process::ExitCode;

fn main() -> ExitCode {
    examples::cluster::main()
}
