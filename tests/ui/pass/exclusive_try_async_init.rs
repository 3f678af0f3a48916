//! `try_async_init` on an `Exclusive`, in the shape that most sets have.

#![deny(warnings)]

use std::io;

use session_core::{
    Exclusive, ExclusiveGuard, InitContext, LocalSession as _, PropertyError, SessionManager,
    SessionProperties,
};

struct App {
    database: &'static str,
}

struct Connection {
    to: &'static str,
}

#[derive(SessionProperties)]
#[session(state = App)]
struct Set {
    #[property(try_async_init = open, close = rollback)]
    connection: Exclusive<Connection>,
}

async fn open(cx: &InitContext<App>) -> io::Result<Connection> {
    tokio::task::yield_now().await;
    Ok(Connection {
        to: cx.state().database,
    })
}

async fn rollback(connection: Connection) -> io::Result<()> {
    assert_eq!(connection.to, "airports");
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let sessions = SessionManager::builder()
        .state(App {
            database: "airports",
        })
        .build()
        .unwrap();
    let session = sessions.create().unwrap();
    let set = session.props::<Set>().unwrap();
    let connection: Result<ExclusiveGuard<Connection>, PropertyError> = set.connection().await;
    assert_eq!(connection.unwrap().to, "airports");
    drop(set);
    session.terminate();
    let report = session.cleanup_completed().await;
    assert!(report.is_clean());
    assert_eq!(report.closed(), 1);
}
