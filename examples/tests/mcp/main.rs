//! The MCP server from outside: the real program, over real HTTP on loopback.

#![cfg(unix)]

#[path = "../kit/mod.rs"]
mod kit;

use std::process::Command;

use kit::conversation::converse;
use kit::program::{LISTENING, Program};

#[tokio::test]
async fn the_conversation_in_the_readme_goes_as_printed() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mcp"));
    command.arg("127.0.0.1:0");
    let program = Program::start(command, LISTENING).await;
    let readme = (include_str!("../../README.md"), "```console mcp");
    let turns = converse(readme, (8000, program.address()), &[]).await;
    assert!(turns > 10, "there is a conversation");
    let log = program.stop().await;
    assert_eq!(log.count("transaction rolled back"), 3);
    assert!(log.count("job stopped") > 0, "{}", log.text());
    assert!(log.count("clean=true") > 0, "{}", log.text());
}
