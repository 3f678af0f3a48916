//! The conversation in the README matches the server's answers.

use std::process::Command;

use crate::program::Program;
use crate::turns::{conversation, matches};

#[test]
fn the_conversation_in_the_readme_goes_as_printed() {
    let program = Program::start(&[]);
    let jars = tempfile::tempdir().expect("there is room");
    let mut turns = 0;
    for (command, expected) in conversation(include_str!("../../README.md"), "```console chat") {
        let output = Command::new("bash")
            .args(["-c", &command.replace("localhost:3000", &program.address)])
            .current_dir(&jars)
            .env("ANN", program.password("ann"))
            .env("BOB", program.password("bob"))
            .output()
            .expect("there is a bash");
        let printed = String::from_utf8(output.stdout).expect("it is text");
        let expected = expected.join("\n");
        assert!(
            output.status.success() && matches(printed.trim_end(), &expected),
            "{command}\nprinted   {printed}\nexpected  {expected}\n{}",
            String::from_utf8_lossy(&output.stderr)
        );
        turns += 1;
    }
    assert!(turns > 8, "there is a conversation");
    program.stop("TERM");
}
