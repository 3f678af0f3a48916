//! The real program.

use std::fs;
use std::process::Command;

use argon2::password_hash::SaltString;
use argon2::{Argon2, Params, PasswordHasher as _};
use rustix::process::Signal;

use crate::house::{follow, guess, next, refusal, rest};
use crate::kit::browser::browser;
use crate::kit::program::{LISTENING, Program, assert_refused};

pub(crate) async fn start(args: &[&str]) -> Program {
    let mut command = chat();
    command.args(["--listen", "127.0.0.1:0"]).args(args);
    Program::start(command, LISTENING).await
}

/// The password that was printed for this user.
pub(crate) fn password<'a>(program: &'a Program, name: &str) -> &'a str {
    program.after(&format!("{name}  "))
}

fn chat() -> Command {
    Command::new(env!("CARGO_BIN_EXE_chat"))
}

#[tokio::test]
async fn ctrl_c_ends_it_in_order_and_tells_open_pages() {
    for signal in [Signal::INT, Signal::TERM] {
        let mut program = start(&[]).await;
        let ann = browser(program.address());
        let told = guess(&ann, "ann", password(&program, "ann")).await;
        assert_eq!(told.text(), "{\"name\":\"ann\",\"device\":1}\n");
        let mut events = follow(&ann).await;
        assert_eq!(next(&mut events, 1).await, ["ann came"]);

        program.signal(signal);
        let status = program.ended().await;
        assert!(status.success(), "{status}");
        assert_eq!(rest(events).await, ["over the server is shutting down"]);
        for line in [
            "sessions shut down ended=1 unfinished=[]",
            "for the people at this machine",
        ] {
            assert_eq!(program.log.count(line), 1, "{}", program.log.text());
        }
    }
}

#[tokio::test]
async fn users_come_from_a_file() {
    // Weak, so that the test is short.
    let argon2 = Argon2::from(Params::new(8, 1, 1, None).expect("it is the least"));
    let salt = SaltString::encode_b64(b"a few bytes").expect("it is long enough");
    let hash = argon2
        .hash_password(b"of the lake", &salt)
        .expect("it is a password");
    let files = tempfile::tempdir().expect("there is room");
    let users = files.path().join("users");
    fs::write(&users, format!("# one\nvivian:{hash}\n")).expect("there is room");
    let program = start(&["--users", users.to_str().expect("it is text")]).await;
    assert_eq!(program.said.len(), 1, "no password is printed");
    let vivian = browser(program.address());
    assert_eq!(refusal(&guess(&vivian, "vivian", "of the sea").await), 401);
    let told = guess(&vivian, "vivian", "of the lake").await;
    assert_eq!(told.text(), "{\"name\":\"vivian\",\"device\":1}\n");
    program.stop().await;
}

#[tokio::test]
async fn what_it_cannot_serve_is_said_in_a_line() {
    let files = tempfile::tempdir().expect("there is room");
    let path = |name| files.path().join(name).display().to_string();
    let (missing, empty, secret) = (path("missing"), path("empty"), path("secret"));
    fs::write(&empty, "# nobody\n").expect("there is room");
    fs::write(&secret, "ann:secret\n").expect("there is room");
    let program = start(&[]).await;
    let taken = program.address().to_string();
    for (args, code) in [
        (["--listen", "0.0.0.0:0"], 2),
        (["--listen", "[::]:0"], 2),
        (["--idle", "0"], 2),
        (["--users", &missing], 2),
        (["--users", &empty], 2),
        (["--users", &secret], 2),
        (["--listen", &taken], 1),
    ] {
        let told = assert_refused(chat().args(args), code, "chat: ");
        assert!(!told.contains("ann:secret"), "{told}");
    }
    program.stop().await;
}
