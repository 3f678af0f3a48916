//! The end of a shell, and of all that it runs.

use std::fs;

use rustix::process::Signal;

use crate::client::Client;
use crate::kit::process::is_running;
use crate::kit::program::send_signal;
use crate::server::Server;
use crate::tab::Tab;

/// Starts the command in a shell, which prints the ids of processes between `<` and `>`.
async fn processes(tab: &mut Tab, command: &str) -> Vec<u32> {
    let started = tab.numbers(command).await;
    assert!(!started.is_empty() && started.iter().all(|pid| is_running(*pid)));
    started
}

/// Commands that print the ids of what they start, and how that takes a hang-up.
const JOBS: [(&str, &str); 6] = [
    ("the shell alone", "echo \"<$$>\""),
    ("a job in the background", "sleep 1000 & echo \"<$! $$>\""),
    (
        "a job that ignores SIGHUP, with a child",
        "sh -c 'trap \"\" HUP; sleep 1000 & echo \"<$$ $!>\"; wait; wait'",
    ),
    (
        "a job by nohup",
        "nohup sleep 1000 >/dev/null 2>&1 & echo \"<$! $$>\"",
    ),
    (
        "a job that is stopped",
        "sh -c 'kill -STOP $$' & sleep 1000 & kill -STOP $!; echo \"<$! $$>\"",
    ),
    (
        "a shell that ignores SIGHUP, on a terminal that nobody has open",
        "trap '' HUP; sleep 1000 & echo \"<$! $$>\"; exec sleep 1000 </dev/null >/dev/null 2>&1",
    ),
];

#[tokio::test]
async fn a_log_out_ends_and_reaps_all_that_the_shell_runs() {
    let server = Server::start(&[]).await;
    for (number, (what, command)) in JOBS.into_iter().enumerate() {
        let (client, mut tab) = Client::with_tab(&server).await;
        let started = processes(&mut tab, command).await;
        client.log_out().await;
        assert_eq!(
            tab.closes().await,
            (1008, "terminated".to_owned()),
            "{what}"
        );
        server.logs("session cleaned up", number + 1).await;
        assert!(
            started.iter().all(|pid| !is_running(*pid)),
            "{what}: {started:?}"
        );
        let shell = server.shells()[number];
        assert!(
            fs::metadata(format!("/proc/{shell}")).is_err(),
            "{what}: it is reaped"
        );
    }
    server.stop().await;
}

#[tokio::test]
async fn a_shell_that_exits_takes_its_jobs_along() {
    let server = Server::start(&[]).await;
    let (_, mut tab) = Client::with_tab(&server).await;
    let job = "nohup sleep 1000 >/dev/null 2>&1 & echo \"<$!>\"";
    let started = processes(&mut tab, job).await;
    tab.types("exit 3\r").await;
    assert_eq!(tab.closes().await, (4000, "exit status 3".to_owned()));
    server.logs("shell ended", 1).await;
    assert!(started.iter().all(|pid| !is_running(*pid)));
    server.stop().await;
}

#[tokio::test]
async fn a_daemon_that_has_left_the_shell_goes_on() {
    let server = Server::start(&[]).await;
    let (client, mut tab) = Client::with_tab(&server).await;
    let daemon = "setsid sh -c 'echo \"<$$>\"; exec sleep 1000 </dev/null >/dev/null 2>&1'";
    let daemon = processes(&mut tab, &format!("{daemon} & sleep 1000")).await[0];
    client.log_out().await;
    server.logs("session cleaned up", 1).await;
    assert!(is_running(daemon));
    send_signal(daemon, Signal::KILL);
    server.stop().await;
}

#[tokio::test]
async fn an_open_tab_is_idle_without_a_key_press() {
    let server = Server::start(&["--idle", "2"]).await;
    let (_, mut tab) = Client::with_tab(&server).await;
    // Output is no key press.
    let started = processes(
        &mut tab,
        "while sleep 0.1; do echo x; done & echo \"<$! $$>\"",
    )
    .await;
    assert_eq!(tab.closes().await, (1001, "idle timeout".to_owned()));
    server.logs("session cleaned up", 1).await;
    assert!(started.iter().all(|pid| !is_running(*pid)));
    server.stop().await;
}

#[tokio::test]
async fn ctrl_c_ends_all_shells_and_a_second_one_at_once() {
    for times in [1, 2] {
        let mut server = Server::start(&[]).await;
        let mut started = Vec::new();
        let mut tabs = Vec::new();
        for (_, command) in JOBS {
            let (_, mut tab) = Client::with_tab(&server).await;
            started.extend(processes(&mut tab, command).await);
            tabs.push(tab);
        }
        server.program.signal(Signal::INT);
        server.logs("shutting down", 1).await;
        if times == 2 {
            server.program.signal(Signal::INT);
        }
        let status = server.program.ended().await;
        assert!(
            started.iter().all(|pid| !is_running(*pid)),
            "{times}: {started:?}"
        );
        assert_eq!(status.code(), Some(if times == 1 { 0 } else { 130 }));
        if times == 1 {
            for tab in &mut tabs {
                assert_eq!(tab.closes().await, (1001, "shutdown".to_owned()));
            }
        }
    }
}
