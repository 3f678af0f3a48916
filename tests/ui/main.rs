//! The programs that the derive accepts, and its messages for those that it rejects.
//!
//! `pass` holds a program for each form of accessor, which also runs. `fail` holds programs with one mistake each, in
//! folders named after the mistake. `TRYBUILD=overwrite` rewrites the `.stderr` files.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn ui() {
    let cases = trybuild::TestCases::new();
    cases.pass("ui/pass/*.rs");
    cases.compile_fail("ui/fail/*/*.rs");
}

/// A message that two mistakes share says too little of at least one of them.
#[test]
fn every_mistake_has_a_message_of_its_own() {
    let mut first_seen = HashMap::new();
    for program in messages_in(Path::new("ui/fail")) {
        if program.starts_with("ui/fail/several_mistakes") {
            continue;
        }
        let text = fs::read_to_string(&program).expect("it was just listed");
        let message = first_message(&text);
        if let Some(other) = first_seen.insert(message, program.clone()) {
            panic!("{} says what {} says", program.display(), other.display());
        }
    }
    assert!(
        first_seen.len() > 50,
        "the programs are not where they were"
    );
}

/// The message and its place: the first error's headline, and the text under the user's code.
fn first_message(text: &str) -> String {
    let error = text.split("\n\n").next().expect("there is an error");
    let mut lines = error.lines();
    let headline = lines.next().expect("it has a headline");
    let labels = lines
        .filter_map(|line| line.split_once("^ "))
        .map(|(_, label)| label);
    labels.fold(headline.to_owned(), |message, label| message + "\n" + label)
}

fn messages_in(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("tests run in their package") {
        let path = entry.expect("it is there").path();
        if path.is_dir() {
            found.extend(messages_in(&path));
        } else if path
            .extension()
            .is_some_and(|extension| extension == "stderr")
        {
            found.push(path);
        }
    }
    found
}
