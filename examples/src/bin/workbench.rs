//! Serves the SQL workbench: see `examples/README.md`.

use std::process::ExitCode;

fn main() -> ExitCode {
    examples::workbench::main()
}
