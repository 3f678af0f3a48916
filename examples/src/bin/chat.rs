//! Serves a chat: see `examples/README.md`.

use std::process::ExitCode;

fn main() -> ExitCode {
    examples::chat::main()
}
