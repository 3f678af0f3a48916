//! Which requests are let in, and what the program refuses to do.

use serde_json::json;

use crate::client::Client;
use crate::server::{Server, terminal};

#[tokio::test]
async fn only_clients_that_know_the_key_get_anything() {
    let server = Server::start(&[]).await;
    let mut client = Client::new(&server);
    let page = client.send("GET", "", &[], "").await;
    assert_eq!(page.status, 200);
    assert!(page.body.starts_with("<!doctype html>"));
    assert!(page.head.contains("frame-ancestors 'none'"));
    assert!(!page.head.contains("set-cookie"), "no session yet");

    client.key = "0".repeat(32);
    for (method, path) in [
        ("GET", ""),
        ("POST", "shell"),
        ("GET", "socket"),
        ("POST", "logout"),
    ] {
        let answer = client.send(method, path, &[], "{}").await;
        assert_eq!(answer.status, 404, "{path}");
        assert!(answer.body.contains("with the key in it"));
    }
    assert!(server.shells().is_empty());
    server.stop().await;
}

#[tokio::test]
async fn other_sites_and_other_names_are_refused() {
    let server = Server::start(&[]).await;
    let mut client = Client::new(&server);
    client.open((80, 24)).await;
    let body = json!({ "size": [80, 24] }).to_string();
    let handshake = [
        ("connection", "upgrade, close"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    for (header, status) in [
        (("origin", "http://evil.example"), 403),
        (("origin", "http://localhost:1"), 403),
        (("origin", "null"), 403),
        (("sec-fetch-site", "cross-site"), 403),
        (("sec-fetch-site", "same-site"), 403),
        (("host", "evil.example"), 421),
        (("host", "10.0.0.1"), 421),
    ] {
        let answer = client.send("POST", "shell", &[header], &body).await;
        assert_eq!(answer.status, status, "{header:?}: {}", answer.body);
        let headers = [&handshake[..], &[header]].concat();
        let answer = client.send("GET", "socket", &headers, "").await;
        assert_eq!(answer.status, status, "{header:?}: {}", answer.body);
    }
    assert_eq!(server.shells().len(), 1);
    server.stop().await;
}

#[tokio::test]
async fn a_tab_without_a_shell_is_told_to_start_one() {
    let server = Server::start(&[]).await;
    let client = Client::new(&server);
    let headers = [
        ("connection", "upgrade, close"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    let answer = client.send("GET", "socket", &headers, "").await;
    assert_eq!(answer.status, 409, "{}", answer.body);
    assert!(server.shells().is_empty());
    server.stop().await;
}

#[tokio::test]
async fn a_seventeenth_shell_is_refused_and_the_others_go_on() {
    let server = Server::start(&[]).await;
    let (_, mut first) = Client::with_tab(&server).await;
    for _ in 1..16 {
        assert_eq!(Client::new(&server).open((80, 24)).await.status, 201);
    }
    let refused = Client::new(&server).open((80, 24)).await;
    assert_eq!(refused.status, 503, "{}", refused.body);
    assert_eq!(first.numbers("echo \"<$((3 * 14))>\"").await, [42]);
    server.stop().await;
}

#[tokio::test]
async fn wrong_arguments_are_one_clear_line_and_exit_code_2() {
    for (args, told) in [
        (
            &["--listen", "0.0.0.0:3000"][..],
            "takes a loopback address",
        ),
        (
            &["--listen", "[2001:db8::1]:3000"],
            "takes a loopback address",
        ),
        (&["--idle", "0"], "--idle takes a whole number"),
        (&["zsh"], "unknown argument `zsh`"),
    ] {
        let output = terminal().args(args).output().await.expect("it starts");
        let message = String::from_utf8(output.stderr).expect("it is text");
        assert_eq!(output.status.code(), Some(2), "{message}");
        assert!(
            message.contains(told) && message.lines().count() == 1,
            "{message}"
        );
        assert!(output.stdout.is_empty());
    }
    let help = terminal().arg("--help").output().await.expect("it starts");
    assert!(help.status.success() && help.stdout.starts_with(b"Serves a shell of yours"));
}
