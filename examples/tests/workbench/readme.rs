//! The conversations in the READMEs match the server's answers.

use std::process::Command;

use crate::server::Server;

/// Stands for text that differs every time, or is too long to print.
const ANYTHING: &str = "...";

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
    for (command, expected) in conversation(markdown) {
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

/// The commands of all `console` blocks, each with the lines it prints.
fn conversation(markdown: &str) -> Vec<(&str, Vec<&str>)> {
    let mut turns: Vec<(&str, Vec<&str>)> = Vec::new();
    let mut inside = false;
    for line in markdown.lines() {
        if line.starts_with("```") {
            inside = line == "```console";
        } else if let Some(command) = line.strip_prefix("$ ").filter(|_| inside) {
            turns.push((command, Vec::new()));
        } else if inside {
            turns
                .last_mut()
                .expect("a block begins with a command")
                .1
                .push(line);
        }
    }
    turns
}

/// Whether `text` is `pattern` with something, or nothing, in the place of every `...`.
fn matches(text: &str, pattern: &str) -> bool {
    match pattern.split_once(ANYTHING) {
        None => text == pattern,
        Some((start, rest)) => text.strip_prefix(start).is_some_and(|text| {
            (0..=text.len())
                .any(|skipped| text.get(skipped..).is_some_and(|text| matches(text, rest)))
        }),
    }
}
