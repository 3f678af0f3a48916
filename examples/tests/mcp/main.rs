//! The MCP server from outside: the real program, over real HTTP on loopback.

#![cfg(unix)]

#[path = "../workbench/conversation.rs"]
mod conversation;

use std::io::{BufRead as _, BufReader, Read as _};
use std::process::{Child, Command, Stdio};

use conversation::{conversation, matches};

/// The running program; it is killed when this is dropped.
struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn start() -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_mcp"))
            .arg("127.0.0.1:0")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("it is piped");
        BufReader::new(stdout)
            .read_line(&mut line)
            .expect("it is text");
        let address = line.trim_end().strip_prefix("listening on http://");
        let address = address.unwrap_or_else(|| panic!("it says where it listens, not {line:?}"));
        Self {
            address: address.to_owned(),
            child,
        }
    }

    /// Tells the program to end, as a service manager does, and returns its log.
    fn stop(mut self) -> String {
        let kill = Command::new("kill")
            .arg(self.child.id().to_string())
            .status();
        assert!(kill.is_ok_and(|kill| kill.success()));
        let mut log = String::new();
        let mut stderr = self.child.stderr.take().expect("it is piped");
        stderr.read_to_string(&mut log).expect("it is text");
        let ended = self.child.wait().expect("it is a child");
        assert!(ended.success(), "{log}");
        log
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}

#[test]
fn the_conversation_in_the_readme_goes_as_printed() {
    let curl = Command::new("curl").arg("--version").output();
    assert!(
        curl.is_ok_and(|curl| curl.status.success()),
        "this test needs `curl`: install it"
    );
    let server = Server::start();
    let folder = tempfile::tempdir().expect("there is room");
    let turns = conversation(include_str!("../../README.md"), "```console mcp");
    assert!(turns.len() > 10, "there is a conversation");
    for (command, expected) in turns {
        let here = command.replace("localhost:8000", &server.address);
        let output = Command::new("bash")
            .args(["-c", &here])
            .current_dir(&folder)
            .output();
        let output = output.expect("there is a bash");
        let printed = String::from_utf8(output.stdout).expect("it is text");
        assert!(
            matches(printed.trim_end(), &expected.join("\n")),
            "{command}\nprinted   {printed}\nexpected  {}\n{}",
            expected.join("\n"),
            String::from_utf8_lossy(&output.stderr)
        );
    }
    let log = server.stop();
    let rolled_back = log.matches("transaction rolled back").count();
    assert_eq!(rolled_back, 3, "{log}");
    assert!(log.contains("job stopped"), "{log}");
    assert!(log.contains("clean=true"), "{log}");
}
