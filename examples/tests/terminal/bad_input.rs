//! Shells, sizes and messages that are not as they should be.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::json;

use crate::client::Client;
use crate::kit::problem::problem;
use crate::server::Server;
use crate::tab::Tab;

#[tokio::test]
async fn a_shell_that_cannot_be_started_is_named_to_the_user() {
    for (shell, told) in [
        ("/no/such/shell", "exist"),
        ("no-such-shell", "No viable candidates"),
        ("/", "directory"),
        ("/etc/passwd", "not executable"),
    ] {
        let server = Server::start(&["--shell", shell]).await;
        let client = Client::new(&server);
        for _ in 0..2 {
            let refused = client.open((80, 24)).await;
            let detail = problem(&refused, 500);
            let names_it = format!("cannot start `{shell}`: ");
            assert!(
                detail.starts_with(&names_it) && detail.contains(told),
                "{detail}"
            );
        }
        server.stop().await;
    }
}

#[tokio::test]
async fn a_shell_that_exits_at_once_leaves_its_words_and_its_status() {
    let scripts = tempfile::tempdir().unwrap();
    for (script, words, how) in [
        (
            "#!/bin/sh\necho not today; exit 7",
            "not today",
            "exit status 7",
        ),
        ("#!/bin/sh\nexit 0", "", "exit status 0"),
        (
            "#!/bin/sh\necho going; kill -KILL $$",
            "going",
            "killed: Killed",
        ),
        // It is executable, but for no machine, so a shell tries to make sense of it.
        ("\u{7f}ELF no more", "not found", "exit status 127"),
        ("#!/no/such/interpreter", "", "killed: Aborted"),
    ] {
        let path = scripts.path().join("shell");
        fs::write(&path, script).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o700)).unwrap();
        let server = Server::start(&["--shell", path.to_str().unwrap()]).await;
        let client = Client::new(&server);
        for time in 1..=2 {
            let opened = client.open((80, 24)).await;
            assert_eq!(opened.status(), 201, "{script}: {opened}");
            server.logs("shell ended", time).await;
            let mut tab = client.attach().await;
            let closed = tab.closes().await;
            assert_eq!(closed, (4000, how.to_owned()), "{script}");
            assert!(tab.text().contains(words), "{script}: {}", tab.text());
        }
        server.stop().await;
    }
}

#[tokio::test]
async fn sizes_are_clamped() {
    let server = Server::start(&[]).await;
    let (client, mut tab) = Client::with_tab(&server).await;
    // Something to draw at each size.
    tab.types("while sleep 0.01; do printf 'a few \u{5b57}\u{5b57} wide\\n'; done &\r")
        .await;
    for (given, clamped) in [
        ((0, 0), [2, 2]),
        ((65_535, 65_535), [500, 500]),
        ((u32::MAX, 1), [2, 500]),
        ((80, 24), [24, 80]),
    ] {
        let [rows, columns] = clamped;
        let is_so = |tab: &Tab| tab.last["columns"] == columns && tab.last["rows"] == rows;
        client.open((50, 50)).await.assert_status(204);
        tab.until(|tab| tab.last["columns"] == 50).await;
        tab.resizes(given.0, given.1).await;
        tab.until(is_so).await;
        client.open((50, 50)).await.assert_status(204);
        tab.until(|tab| tab.last["columns"] == 50).await;
        client.open(given).await.assert_status(204);
        tab.until(is_so).await;
    }
    let refused = client.asks(&json!({ "size": [-1, "wide"] })).await;
    refused.assert_status(422);
    assert_eq!(
        tab.numbers("kill $!; echo \"<$(stty size)>\"").await,
        [24, 80]
    );
    server.stop().await;
}

#[tokio::test]
async fn a_message_that_is_too_long_or_no_wish_ends_its_tab_alone() {
    let server = Server::start(&[]).await;
    let (client, mut tab) = Client::with_tab(&server).await;
    let mut other = client.attach().await;
    other.sends(vec![b'x'; (64 << 10) + 1]).await;
    assert_eq!(other.closes().await.0, 1009);
    let mut other = client.attach().await;
    other.wishes(&json!({ "fly": true })).await;
    assert_eq!(other.closes().await.0, 1008);
    // More than a message may have at all.
    let mut other = client.attach().await;
    other.sends(vec![b'x'; 4 << 20]).await;
    other.closes().await;
    assert_eq!(tab.numbers("echo \"<$((3 * 14))>\"").await, [42]);
    server.stop().await;
}
