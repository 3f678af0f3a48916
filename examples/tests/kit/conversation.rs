//! Conversations in a README.

use std::fmt::Display;

use tokio::process::Command;

/// Stands for text that differs every time, or is too long to print.
const ANYTHING: &str = "...";

/// Runs the commands of all blocks that begin with this fence, and compares what they print with what is below them.
/// They go to `address` instead of `port` of this machine, and have these variables. Returns how many they are.
pub(crate) async fn converse(
    (markdown, fence): (&str, &str),
    (port, address): (u16, impl Display),
    variables: &[(&str, &str)],
) -> usize {
    let curl = Command::new("curl").arg("--version").output().await;
    let has_curl = curl.is_ok_and(|curl| curl.status.success());
    assert!(has_curl, "this test needs `curl`: install it");
    let folder = tempfile::tempdir().expect("there is room");
    let turns = conversation(markdown, fence);
    for (command, expected) in &turns {
        let here = command.replace(&format!("localhost:{port}"), &address.to_string());
        let output = Command::new("bash")
            .args(["-c", &here])
            .envs(variables.iter().copied())
            .current_dir(&folder)
            .output();
        let output = output.await.expect("there is a bash");
        let printed = String::from_utf8(output.stdout).expect("it is text");
        let expected = expected.join("\n");
        assert!(
            output.status.success() && matches(printed.trim_end(), &expected),
            "{command}\nprinted   {printed}\nexpected  {expected}\n{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    turns.len()
}

/// The commands of all blocks that begin with this fence, each with the lines it prints.
fn conversation<'a>(markdown: &'a str, fence: &str) -> Vec<(&'a str, Vec<&'a str>)> {
    let mut turns: Vec<(&'a str, Vec<&'a str>)> = Vec::new();
    let mut inside = false;
    for line in markdown.lines() {
        if line.starts_with("```") {
            inside = line == fence;
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
