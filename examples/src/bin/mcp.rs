//! Serves live SQLite transactions to MCP clients: see `examples/README.md`.

use std::process::ExitCode;

fn main() -> ExitCode {
    examples::mcp::main()
}
