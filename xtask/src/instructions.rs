//! The instructions of a request, by callgrind, held against a file. They do not vary with the machine's noise.

use std::path::Path;
use std::process::Command;
use std::{fs, str};

/// Where the compiler inlines moves a sum by so much for no reason in the source.
const SLACK: i64 = 60;

const FILE: &str = "bench/instructions.txt";
const PROGRAM: &str = "bench/target/release/instructions";
/// The function in which instructions are counted.
const COUNTED: &str = "session_bench::request::one_batch*";

/// Counts the instructions that each server of the bench's row 4 adds to those of the bare handler. Those named in the
/// file are held against it, or replaced in it where `keep` is set. Returns whether none is above by more than the slack.
pub(crate) fn check(root: &Path, keep: bool) -> Result<bool, String> {
    let names = lines_of(Command::new(root.join(PROGRAM)))?;
    let bare = count(root, 0)?;
    println!("instructions added to a request of the bare handler, which takes {bare}:");
    let file = root.join(FILE);
    let mut text = fs::read_to_string(&file).map_err(|error| format!("{FILE}: {error}"))?;
    let mut holds = true;
    for (server, name) in names.iter().enumerate().skip(1) {
        let added = count(root, server)? - bare;
        let kept = text
            .lines()
            .find_map(|line| line.strip_suffix(name.as_str()));
        let Some(kept) = kept.map(str::to_owned) else {
            println!("{added:>7}  {name}");
            continue;
        };
        if keep {
            text = text.replace(&format!("{kept}{name}"), &format!("{added} {name}"));
        }
        let Ok(kept) = kept.trim().parse::<i64>() else {
            return Err(format!("{FILE} has no number before `{name}`"));
        };
        let over = !keep && added > kept + SLACK;
        let verdict = if over { "OVER" } else { "ok" };
        println!("{added:>7}  {name}: {verdict}, {kept} in {FILE}");
        holds &= !over;
    }
    if keep {
        fs::write(&file, text).map_err(|error| format!("{FILE}: {error}"))?;
    }
    Ok(holds)
}

/// The instructions of one request to this server.
fn count(root: &Path, server: usize) -> Result<i64, String> {
    let mut valgrind = Command::new("valgrind");
    valgrind
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .args([
            "--collect-atstart=no",
            &format!("--toggle-collect={COUNTED}"),
        ])
        .arg(root.join(PROGRAM))
        .arg(server.to_string());
    let output = valgrind
        .output()
        .map_err(|error| format!("valgrind did not start: {error}"))?;
    let log = String::from_utf8_lossy(&output.stderr);
    let collected = log.lines().find_map(|line| line.split_once("Collected :"));
    let collected: Option<i64> = collected.and_then(|(_, count)| count.trim().parse().ok());
    let requests: Option<i64> = str::from_utf8(&output.stdout)
        .ok()
        .and_then(|requests| requests.trim().parse().ok());
    match (collected, requests) {
        (Some(collected @ 1..), Some(requests @ 1..)) => Ok(collected / requests),
        _ => Err(format!("callgrind counted nothing:\n{log}")),
    }
}

fn lines_of(mut command: Command) -> Result<Vec<String>, String> {
    let output = command
        .output()
        .map_err(|error| format!("{command:?} did not start: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text.lines().map(str::to_owned).collect())
}
