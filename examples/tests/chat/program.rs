//! The real program.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use argon2::password_hash::SaltString;
use argon2::{Argon2, Params, PasswordHasher as _};

/// The running program; it is killed when this is dropped.
pub(crate) struct Program {
    child: Child,
    pub(crate) address: String,
    /// The lines before the one that says where it listens: the users and their passwords.
    users: Vec<String>,
}

impl Program {
    pub(crate) fn start(args: &[&str]) -> Self {
        let mut child = chat()
            .args(["--listen", "127.0.0.1:0"])
            .args(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        let mut users = Vec::new();
        let address = loop {
            let line = lines
                .next()
                .expect("it says where it listens")
                .expect("it is text");
            match line.strip_prefix("listening on http://") {
                Some(address) => break address.to_owned(),
                None => users.push(line),
            }
        };
        Self {
            child,
            address,
            users,
        }
    }

    /// The password that was printed for this user.
    pub(crate) fn password(&self, name: &str) -> &str {
        let passwords = self.users.iter().filter_map(|line| line.split_once("  "));
        let mut found = passwords.filter(|(user, _)| *user == name);
        found.next().expect("there is such a user").1
    }

    /// Sends a signal, such as Ctrl-C's, and returns the log.
    pub(crate) fn stop(mut self, signal: &str) -> String {
        let kill = format!("kill -{signal} {}", self.child.id());
        let sent = Command::new("sh").args(["-c", &kill]).status();
        assert!(sent.is_ok_and(|sent| sent.success()));
        let mut log = String::new();
        let mut stderr = self.child.stderr.take().expect("it is piped");
        stderr.read_to_string(&mut log).expect("it is text");
        let ended = self.child.wait().expect("it is a child");
        assert!(ended.success(), "{log}");
        log
    }

    /// A request with the cookies of a jar, which the answer may fill.
    fn curl(&self, jar: &Path, path: &str) -> Command {
        let mut curl = Command::new("curl");
        curl.args(["-sN", "-b"]).arg(jar).arg("-c").arg(jar);
        curl.arg(format!("http://{}{path}", self.address));
        curl
    }

    fn log_in(&self, jar: &Path, name: &str, password: &str) -> String {
        let form = format!(r#"{{"name":"{name}","password":"{password}"}}"#);
        let answer = self.curl(jar, "/log-in").args(["--json", &form]).output();
        String::from_utf8(answer.expect("there is `curl`").stdout).expect("it is text")
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn chat() -> Command {
    Command::new(env!("CARGO_BIN_EXE_chat"))
}

#[test]
fn ctrl_c_ends_it_in_order_and_tells_open_pages() {
    for signal in ["INT", "TERM"] {
        let jars = tempfile::tempdir().expect("there is room");
        let jar = jars.path().join("ann");
        let program = Program::start(&[]);
        let told = program.log_in(&jar, "ann", program.password("ann"));
        assert_eq!(told, "{\"name\":\"ann\",\"device\":1}\n");
        let mut page = program.curl(&jar, "/events");
        let mut page = page
            .stdout(Stdio::piped())
            .spawn()
            .expect("there is `curl`");
        let mut events = BufReader::new(page.stdout.take().expect("it is piped"));
        let mut told = String::new();
        while !told.contains("\"came\"") {
            assert_ne!(
                events.read_line(&mut told).expect("it is text"),
                0,
                "{told}"
            );
        }

        let log = program.stop(signal);
        events.read_to_string(&mut told).expect("it is text");
        assert!(page.wait().expect("it is a child").success());
        assert!(
            told.ends_with("event: over\ndata: the server is shutting down\n\n"),
            "{told}"
        );
        assert!(
            log.contains("sessions shut down ended=1 unfinished=[]"),
            "{log}"
        );
        assert!(log.contains("for the people at this machine"), "{log}");
    }
}

#[test]
fn users_come_from_a_file() {
    // Weak, so that the test is short.
    let argon2 = Argon2::from(Params::new(8, 1, 1, None).expect("it is the least"));
    let salt = SaltString::encode_b64(b"a few bytes").expect("it is long enough");
    let hash = argon2
        .hash_password(b"of the lake", &salt)
        .expect("it is a password");
    let files = tempfile::tempdir().expect("there is room");
    let (users, jar) = (files.path().join("users"), files.path().join("jar"));
    std::fs::write(&users, format!("# one\nvivian:{hash}\n")).expect("there is room");
    let program = Program::start(&["--users", users.to_str().expect("it is text")]);
    assert!(program.users.is_empty(), "nothing is printed");
    let refused = program.log_in(&jar, "vivian", "of the sea");
    assert!(refused.contains("401"), "{refused}");
    let told = program.log_in(&jar, "vivian", "of the lake");
    assert_eq!(told, "{\"name\":\"vivian\",\"device\":1}\n");
    program.stop("TERM");
}

#[test]
fn what_it_cannot_serve_is_said_in_a_line() {
    let files = tempfile::tempdir().expect("there is room");
    let path = |name| {
        files
            .path()
            .join(name)
            .to_str()
            .expect("it is text")
            .to_owned()
    };
    let (missing, empty, secret) = (path("missing"), path("empty"), path("secret"));
    std::fs::write(&empty, "# nobody\n").expect("there is room");
    std::fs::write(&secret, "ann:secret\n").expect("there is room");
    let program = Program::start(&[]);
    for (args, code) in [
        (["--listen", "0.0.0.0:0"], 2),
        (["--listen", "[::]:0"], 2),
        (["--idle", "0"], 2),
        (["--users", &missing], 2),
        (["--users", &empty], 2),
        (["--users", &secret], 2),
        (["--listen", &program.address], 1),
    ] {
        let output = chat().args(args).output().expect("the program starts");
        assert_eq!(output.status.code(), Some(code), "{args:?}");
        let said = String::from_utf8(output.stderr).expect("it is text");
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(
            said.starts_with("chat: ") && !said.contains("ann:secret"),
            "{said}"
        );
    }
    program.stop("TERM");
}
