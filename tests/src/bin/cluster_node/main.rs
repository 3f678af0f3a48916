//! A node of the suite `failures`: a server of live sessions that is one of a cluster, in a process that can be killed,
//! stopped and continued.
//!
//! Its arguments are `key=value`; see [`Options`]. It tells its story on the standard output, a line for each event:
//! `joined`, `left`, and `completed SERIAL CAUSE` for each session that has ended.

mod app;
mod membership;
mod options;

use std::time::Duration;

use session_core::{LifecycleEvent, SessionManager, Subject};
use tokio::net::TcpListener;

use crate::options::Options;

/// The time for all that is to end when the node is told to go, its sessions' own time apart.
const SHUTDOWN: Duration = Duration::from_secs(5);

#[tokio::main(worker_threads = 2)]
async fn main() {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .with_max_level(tracing::Level::INFO)
        .init();
    let options = Options::from_arguments(std::env::args().skip(1));
    let sessions = SessionManager::builder()
        .build()
        .expect("there is a runtime");
    tokio::spawn(tell(sessions.clone()));
    // It listens before it claims the address, and nobody is accepted before it has joined.
    let listener = TcpListener::bind(options.address)
        .await
        .expect("the address is free");
    let cluster = membership::join(&options, sessions.clone()).await;
    println!("joined");
    let app = app::router(&options, sessions.clone(), &cluster);
    session_axum::serve(listener, app, sessions)
        .with_connect_info()
        .with_graceful_shutdown(async move {
            session_axum::shutdown_signal().await;
            let left = cluster.leave(options.drain, SHUTDOWN).await;
            println!("left {left:?}");
        })
        .timeout(SHUTDOWN)
        .await;
}

/// Tells which sessions end, and why.
async fn tell(sessions: SessionManager) {
    let mut events = sessions.subscribe();
    drop(sessions);
    while let Some(event) = events.next().await {
        if let Ok(LifecycleEvent::Completed(Subject::Session(serial), cause, _)) = event {
            println!("completed {serial} {cause}");
        }
    }
}
