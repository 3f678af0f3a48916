//! `try_async_init` on a `Property`.

#![deny(warnings)]

use std::io;

use session_core::{
    InitContext, LocalSession as _, Property, PropertyError, PropertyRef, SessionManager,
    SessionProperties,
};

struct App {
    fails: bool,
}

#[derive(SessionProperties)]
#[session(state = App)]
struct Set {
    #[property(try_async_init = load)]
    path: Property<String>,
    #[property(try_async_init = async |cx| load(cx).await)]
    closure: Property<String>,
    #[property(try_async_init = |cx| async move { load(cx).await.map_err(|error| error.to_string()) })]
    closure_that_borrows: Property<String>,
}

async fn load(cx: &InitContext<App>) -> io::Result<String> {
    tokio::task::yield_now().await;
    if cx.state().fails {
        Err(io::Error::other("the disk is gone"))
    } else {
        Ok("loaded".into())
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let sessions = SessionManager::builder()
        .state(App { fails: false })
        .build()
        .unwrap();
    let set = sessions.create().unwrap().props::<Set>().unwrap();
    let path: Result<&PropertyRef<String>, PropertyError> = set.path().await;
    assert_eq!(**path.unwrap(), "loaded");
    assert_eq!(**set.closure().await.unwrap(), "loaded");
    assert_eq!(**set.closure_that_borrows().await.unwrap(), "loaded");

    let sessions = SessionManager::builder()
        .state(App { fails: true })
        .build()
        .unwrap();
    let set = sessions.create().unwrap().props::<Set>().unwrap();
    let error = set.path().await.unwrap_err();
    assert!(error.downcast_ref::<io::Error>().is_some());
    assert!(set.closure_that_borrows().await.is_err());
}
