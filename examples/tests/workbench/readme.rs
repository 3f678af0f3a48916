//! The conversations in the READMEs match the server's answers.

use std::process::Command;

use crate::conversation::{conversation, matches};
use crate::server::Server;

#[test]
fn the_conversation_in_the_root_readme_goes_as_printed() {
    converse(include_str!("../../../README.md"));
}

#[test]
fn the_conversation_in_the_examples_readme_goes_as_printed() {
    converse(include_str!("../../README.md"));
}

fn converse(markdown: &str) {
    let curl = Command::new("curl").arg("--version").output();
    assert!(
        curl.is_ok_and(|curl| curl.status.success()),
        "this test needs `curl`: install it"
    );

    let server = Server::start(&[]);
    let jars = tempfile::tempdir().expect("there is room");
    let mut turns = 0;
    for (command, expected) in conversation(markdown, "```console") {
        let here = command.replace("localhost:3000", &server.address.to_string());
        let output = Command::new("bash")
            .args(["-c", &here])
            .current_dir(&jars)
            .output()
            .expect("there is a bash");
        let printed = String::from_utf8(output.stdout).expect("it is text");
        assert!(
            output.status.success(),
            "{command}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        assert!(
            matches(printed.trim_end(), &expected.join("\n")),
            "{command}\nprinted   {printed}\nexpected  {}",
            expected.join("\n")
        );
        turns += 1;
    }
    assert!(turns > 3, "there is a conversation");
    server.stop();
}
