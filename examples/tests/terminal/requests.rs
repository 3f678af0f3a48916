//! Which requests are let in, and what the program refuses to do.

use axum::http::Method;
use serde_json::json;

use crate::client::Client;
use crate::kit::browser::old_browser;
use crate::kit::program::assert_refused;
use crate::server::{Server, terminal};

#[tokio::test]
async fn only_clients_that_know_the_key_get_anything() {
    let server = Server::start(&[]).await;
    let mut client = Client::new(&server);
    let page = client.browser.get(&client.path("")).await;
    let page = page.assert_status(200);
    assert!(page.text().starts_with("<!doctype html>"));
    let policy = &page.headers()["content-security-policy"];
    assert!(policy.to_str().unwrap().contains("frame-ancestors 'none'"));
    assert!(!page.headers().contains_key("set-cookie"), "no session yet");

    client.key = "0".repeat(32);
    for (method, path) in [
        (Method::GET, ""),
        (Method::POST, "shell"),
        (Method::GET, "socket"),
        (Method::POST, "logout"),
    ] {
        let request = client.browser.request(method, &client.path(path));
        let answer = request.json(&json!({})).await.assert_status(404);
        assert!(answer.text().contains("with the key in it"), "{path}");
    }
    assert!(server.shells().is_empty());
    server.stop().await;
}

#[tokio::test]
async fn other_sites_and_other_names_are_refused() {
    let server = Server::start(&[]).await;
    let new = Client::new(&server);
    // It says where its page comes from in `Origin` alone.
    let old = Client {
        browser: old_browser(server.address),
        ..Client::new(&server)
    };
    for client in [&new, &old] {
        client.open((80, 24)).await.assert_status(201);
        client.attach().await.shows(&["$", "#"]).await;
    }
    for (client, header, status) in [
        (&old, ("origin", "http://evil.example"), 403),
        (&old, ("origin", "http://localhost:1"), 403),
        (&old, ("origin", "null"), 403),
        (&new, ("sec-fetch-site", "cross-site"), 403),
        (&new, ("sec-fetch-site", "same-site"), 403),
        (&new, ("host", "evil.example"), 421),
        (&old, ("host", "10.0.0.1"), 421),
    ] {
        let (name, value) = header;
        let open = client.browser.post(&client.path("shell"));
        let open = open.json(&json!({ "size": [80, 24] }));
        let opened = open.header(name, value).await;
        assert_eq!(opened.status(), status, "{header:?}: {opened}");
        let attach = client.browser.websocket(&client.path("socket"));
        let attached = attach.header(name, value).refused().await;
        assert_eq!(attached.status(), status, "{header:?}: {attached}");
    }
    assert_eq!(server.shells().len(), 2);
    server.stop().await;
}

#[tokio::test]
async fn a_tab_without_a_shell_is_told_to_start_one() {
    let server = Server::start(&[]).await;
    let client = Client::new(&server);
    let handshake = client.browser.websocket(&client.path("socket"));
    handshake.refused().await.assert_status(409);
    assert!(server.shells().is_empty());
    server.stop().await;
}

#[tokio::test]
async fn a_seventeenth_shell_is_refused_and_the_others_go_on() {
    let server = Server::start(&[]).await;
    let (_, mut first) = Client::with_tab(&server).await;
    for _ in 1..16 {
        let opened = Client::new(&server).open((80, 24)).await;
        opened.assert_status(201);
    }
    let refused = Client::new(&server).open((80, 24)).await;
    refused.assert_status(503);
    assert_eq!(first.numbers("echo \"<$((3 * 14))>\"").await, [42]);
    server.stop().await;
}

#[test]
fn wrong_arguments_are_one_clear_line_and_exit_code_2() {
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
        assert_refused(terminal().args(args), 2, told);
    }
    let help = terminal().arg("--help").output().expect("it starts");
    assert!(help.status.success() && help.stdout.starts_with(b"Serves a shell of yours"));
}
