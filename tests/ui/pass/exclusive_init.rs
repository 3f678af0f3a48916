//! `init` on an `Exclusive`: its value need not be `Sync`.

#![deny(warnings)]

use std::cell::Cell;

use session_core::{
    Exclusive, ExclusiveGuard, LocalSession as _, PropertyError, SessionManager, SessionProperties,
};

#[derive(SessionProperties)]
struct Set {
    #[property(init = start)]
    counter: Exclusive<Cell<u8>>,
    #[property(init = |cx| Cell::new(u8::from(cx.session().is_completed())))]
    with_context: Exclusive<Cell<u8>>,
}

fn start() -> Cell<u8> {
    Cell::new(1)
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let sessions = SessionManager::builder().build().unwrap();
    let set = sessions.create().unwrap().props::<Set>().unwrap();
    let counter: Result<ExclusiveGuard<Cell<u8>>, PropertyError> = tokio::spawn({
        let set = set.clone();
        async move { set.counter().await }
    })
    .await
    .unwrap();
    let counter = counter.unwrap();
    assert_eq!(counter.replace(2), 1);
    drop(counter);
    assert_eq!(set.counter().await.unwrap().get(), 2);
    assert_eq!(set.with_context().await.unwrap().get(), 0);
}
