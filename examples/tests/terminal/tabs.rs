//! Tabs on one shell.

use futures_util::future::join_all;
use serde_json::json;

use crate::client::Client;
use crate::server::Server;

#[tokio::test]
async fn a_reloaded_tab_and_a_second_one_see_the_same_shell() {
    let server = Server::start(&[]).await;
    let (client, mut first) = Client::with_tab(&server).await;
    first
        .types("there=here; printf '\\033]2;mine\\007over t%s\\n' $there\r")
        .await;
    let screen = first
        .shows(&[
            "over there\n$",
            "over there\n#",
            "over there\n# ",
            "over there\n$ ",
        ])
        .await;
    drop(first);

    let mut reloaded = client.attach().await;
    reloaded.until(|tab| tab.text() == screen).await;
    assert_eq!(reloaded.last["title"], "mine");
    let mut second = client.attach().await;
    second.types("echo still $there\r").await;
    for tab in [&mut reloaded, &mut second] {
        tab.has("\nstill here\n").await;
    }
    assert_eq!(server.shells().len(), 1);
    server.stop().await;
}

#[tokio::test]
async fn a_shell_is_started_once_for_tabs_that_race() {
    let server = Server::start(&[]).await;
    let (client, mut tab) = Client::with_tab(&server).await;
    tab.types("exit\r").await;
    assert_eq!(tab.closes().await, (4000, "exit status 0".to_owned()));

    let opened = join_all((0..8).map(async |_| client.open((80, 24)).await.status())).await;
    let new = opened.iter().filter(|status| **status == 201).count();
    let known = opened.iter().filter(|status| **status == 204).count();
    assert_eq!((new, known), (1, 7), "{opened:?}");
    server.logs("shell started", 2).await;
    assert_eq!(server.shells().len(), 2);
    server.stop().await;
}

#[tokio::test]
async fn the_tab_that_typed_or_was_resized_last_decides_on_the_size() {
    let server = Server::start(&[]).await;
    let (client, mut wide) = Client::with_tab(&server).await;
    wide.resizes(120, 40).await;
    assert_eq!(wide.numbers("echo \"<$(stty size)>\"").await, [40, 120]);
    let mut narrow = client.attach().await;
    narrow.resizes(60, 10).await;
    wide.until(|tab| tab.last["columns"] == 60 && tab.last["rows"] == 10)
        .await;
    assert_eq!(wide.numbers("echo \"<$(stty size)>\"").await, [40, 120]);
    narrow.until(|tab| tab.last["columns"] == 120).await;
    assert_eq!(narrow.numbers("echo \"<$(stty size)>\"").await, [10, 60]);
    server.stop().await;
}

#[tokio::test]
async fn a_tab_looks_back_until_it_types() {
    let server = Server::start(&[]).await;
    let (client, mut tab) = Client::with_tab(&server).await;
    let mut other = client.attach().await;
    tab.types("seq 100 199\r").await;
    tab.has("199").await;
    tab.wishes(&json!({ "back": 50 })).await;
    tab.until(|tab| tab.last["back"] == 50 && tab.text().contains("130\n131"))
        .await;
    assert!(tab.last["cursor"].is_null() && !tab.text().contains("199"));
    other.has("199").await;
    tab.types("#").await;
    tab.until(|tab| tab.last["back"] == 0 && tab.text().contains("199"))
        .await;
    server.stop().await;
}

#[tokio::test]
async fn a_shell_gets_a_terminal_and_nothing_else_of_the_server() {
    let server = Server::start(&["--shell", "/bin/sh"]).await;
    let (_, mut tab) = Client::with_tab(&server).await;
    tab.types("clear; env | grep -v '^PWD\\|^OLDPWD\\|^_=' | sort | cut -d= -f1 | tr '\\n' ' '\r")
        .await;
    tab.has("COLORTERM HOME PATH SHELL TERM ").await;
    assert!(!tab.text().contains("A_SECRET"));
    // The terminal is open three times, and once more for dash itself.
    let others = "echo '<'; ls /proc/$$/fd | grep -vc '^[0-2]$\\|^10$'; echo '>'";
    assert_eq!(tab.numbers(others).await, [0]);
    tab.types("clear; echo $TERM; pwd; test -t 0 && echo tty\r")
        .await;
    let home = server.home.path().display();
    tab.has(&format!("xterm-256color\n{home}\ntty")).await;
    server.stop().await;
}
