//! The workspace's own commands.

#![forbid(unsafe_code)]

mod instructions;

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

const USAGE: &str = "\
usage: cargo xtask <command>

  test          runs all tests: the suites, the examples in the docs, the models of the races; installs what they lack
  models        runs the models alone
  bench [ROW].. measures what sessions cost, beside what else there is; rows 1 to 6 and 8, or those of these numbers:
                row 7, what the derive costs a build, takes minutes; row 9 is the store's work for a cluster
  instructions  counts the instructions of a request, and fails if they are more than bench/instructions.txt says;
                `instructions keep` writes that file
";

fn main() -> ExitCode {
    let mut arguments = env::args().skip(1);
    let command = arguments.next();
    let rest: Vec<String> = arguments.collect();
    let done = match (command.as_deref(), rest.as_slice()) {
        (Some("test"), []) => test(),
        (Some("models"), []) => models(),
        (Some("instructions"), []) => instructions(false),
        (Some("instructions"), [keep]) if keep == "keep" => instructions(true),
        (Some("bench"), rows) if rows.iter().all(|row| is_row(row)) => bench(rows),
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    if done {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// A program, and the Debian package that contains it.
type Program = (&'static str, &'static str);

/// Programs that tests run.
const OF_TESTS: [Program; 6] = [
    ("curl", "curl"),
    ("chromium", "chromium"),
    ("chromedriver", "chromium-driver"),
    ("redis-server", "redis-server"),
    ("nginx", "nginx"),
    ("haproxy", "haproxy"),
];

/// The program that the bench of clusters runs.
const OF_CLUSTERS: [Program; 1] = [("redis-server", "redis-server")];

/// The program that counts instructions.
const OF_INSTRUCTIONS: [Program; 1] = [("valgrind", "valgrind")];

fn test() -> bool {
    if !install_what_is_missing(&OF_TESTS) {
        return false;
    }
    let tests = if has_nextest() {
        cargo(["nextest", "run", "--workspace"])
    } else {
        println!("cargo-nextest is not installed: `cargo test` runs the tests");
        cargo(["test", "--workspace", "--tests"])
    };
    // nextest runs no doctests.
    run(tests) && run(cargo(["test", "--workspace", "--doc"])) && models()
}

fn install_what_is_missing(programs: &[Program]) -> bool {
    let missing = programs.iter().filter(|(program, _)| !is_there(program));
    let packages: Vec<_> = missing.map(|(_, package)| *package).collect();
    if packages.is_empty() {
        return true;
    }
    println!("installing {}", packages.join(", "));
    let apt_get = |arguments: &[&str]| {
        let mut command = Command::new("apt-get");
        command.env("DEBIAN_FRONTEND", "noninteractive");
        command.args(arguments);
        run(command)
    };
    let install = ["install", "--yes", "--no-install-recommends"];
    let installed = apt_get(&["update"]) && apt_get(&[&install[..], &packages].concat());
    if !installed {
        eprintln!(
            "install {} by hand, then run this again",
            packages.join(", ")
        );
    }
    installed
}

/// Debian puts servers into a folder that is not on every user's path.
const OF_SERVERS: &str = "/usr/sbin";

fn is_there(program: &str) -> bool {
    let paths = env::var_os("PATH").unwrap_or_default();
    let mut folders = env::split_paths(&paths).chain([PathBuf::from(OF_SERVERS)]);
    folders.any(|folder| folder.join(program).is_file())
}

/// The models build the core over shuttle, so they have their own target folder.
fn models() -> bool {
    let mut models = cargo([
        "test",
        "--release",
        "--package",
        "session-core",
        "--lib",
        "models",
    ]);
    // Each prints how many schedules it has explored.
    models.args(["--", "--show-output"]);
    let flags = env::var("RUSTFLAGS").unwrap_or_default();
    // A count that falls below zero is a lost race, which would go unseen without the checks.
    let flags = format!("{flags} --cfg session_shuttle -C overflow-checks");
    models.env("RUSTFLAGS", flags);
    models.env("CARGO_TARGET_DIR", root().join("target/models"));
    run(models)
}

fn bench(rows: &[String]) -> bool {
    let of_bench = |command| cargo([command, "--release", "--manifest-path", "bench/Cargo.toml"]);
    let others: Vec<_> = rows
        .iter()
        .filter(|row| !matches!(row.as_str(), "8" | "9"))
        .collect();
    // One of the binaries starts another, so all are built first.
    let mut bench = of_bench("run");
    bench.arg("--").args(&others);
    // Rows 8 and 9 are packages of their own.
    let of_package = |package| {
        let mut bench = of_bench("run");
        bench.args(["--package", package]);
        bench
    };
    let chosen = |row: &str| rows.iter().any(|chosen| chosen == row);
    let all = rows.is_empty();
    run(of_bench("build"))
        && (others.is_empty() && !all || run(bench))
        && (!chosen("8") && !all || run(of_package("session-bench-mcp")))
        && (!chosen("9")
            || install_what_is_missing(&OF_CLUSTERS) && run(of_package("session-bench-cluster")))
}

/// The release build of the bench has the program to count.
fn instructions(keep: bool) -> bool {
    let build = ["build", "--release", "--manifest-path", "bench/Cargo.toml"];
    if !install_what_is_missing(&OF_INSTRUCTIONS) || !run(cargo(build)) {
        return false;
    }
    instructions::check(&root(), keep).unwrap_or_else(|error| {
        eprintln!("{error}");
        false
    })
}

fn is_row(argument: &str) -> bool {
    matches!(
        argument,
        "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9"
    )
}

fn has_nextest() -> bool {
    let mut version = cargo(["nextest", "--version"]);
    let version = version.stdout(Stdio::null()).stderr(Stdio::null());
    version.status().is_ok_and(|status| status.success())
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Cargo, at the root of the workspace.
fn cargo<const N: usize>(arguments: [&str; N]) -> Command {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(cargo);
    command.current_dir(root()).args(arguments);
    command
}

fn run(mut command: Command) -> bool {
    match command.status() {
        Ok(status) => status.success(),
        Err(error) => {
            eprintln!("{command:?} did not start: {error}");
            false
        }
    }
}
