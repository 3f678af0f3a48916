//! Every kind of close hook.

#![deny(warnings)]

use std::io;

use session_core::{Exclusive, LocalSession as _, Property, SessionManager, SessionProperties};

#[derive(SessionProperties)]
struct Set {
    #[property(default, close = plain)]
    plain: Property<String>,
    #[property(default, close = fallible)]
    fallible: Property<String>,
    #[property(default, close = asynchronous)]
    asynchronous: Property<String>,
    #[property(default, close = async_and_fallible)]
    async_and_fallible: Exclusive<String>,
    #[property(default, close = String::into_bytes_and_drop)]
    method: Exclusive<String>,
    #[property(default, close = |value| assert!(value.is_empty()))]
    closure: Property<String>,
    #[property(default, close = async |value| assert!(value.is_empty()))]
    async_closure: Exclusive<String>,
    #[property(default, close = |value| async move { drop(value) })]
    closure_that_gives_a_future: Exclusive<String>,
    #[property(default, close = |_| Err::<(), _>("this one fails"))]
    failing: Property<String>,
}

trait IntoBytesAndDrop {
    fn into_bytes_and_drop(self);
}

impl IntoBytesAndDrop for String {
    fn into_bytes_and_drop(self) {
        drop(self.into_bytes());
    }
}

fn plain(_: String) {}

fn fallible(_: String) -> io::Result<u8> {
    Ok(1)
}

async fn asynchronous(_: String) {}

async fn async_and_fallible(_: String) -> io::Result<()> {
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let sessions = SessionManager::builder().build().unwrap();
    let session = sessions.create().unwrap();
    let set = session.props::<Set>().unwrap();
    set.plain().unwrap();
    set.fallible().unwrap();
    set.asynchronous().unwrap();
    drop(set.async_and_fallible().await.unwrap());
    drop(set.method().await.unwrap());
    set.closure().unwrap();
    drop(set.async_closure().await.unwrap());
    drop(set.closure_that_gives_a_future().await.unwrap());
    set.failing().unwrap();
    drop(set);
    session.terminate();
    let report = session.cleanup_completed().await;
    assert_eq!(report.closed(), 9);
    assert_eq!(report.problems().len(), 1);
    assert_eq!(report.problems()[0].name(), "failing");
}
