//! `async_init` on an `Exclusive`.

#![deny(warnings)]

use session_core::{
    Exclusive, ExclusiveGuard, InitContext, LocalSession as _, PropertyError, SessionManager,
    SessionProperties,
};

#[derive(SessionProperties)]
struct Set {
    #[property(async_init = load)]
    path: Exclusive<String>,
    #[property(async_init = async |cx| load(cx).await)]
    closure: Exclusive<String>,
    #[property(async_init = async || String::new())]
    without_context: Exclusive<String>,
}

async fn load(cx: &InitContext) -> String {
    tokio::task::yield_now().await;
    cx.session().is_completed().to_string()
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let sessions = SessionManager::builder().build().unwrap();
    let set = sessions.create().unwrap().props::<Set>().unwrap();
    let path: Result<ExclusiveGuard<String>, PropertyError> = set.path().await;
    assert_eq!(*path.unwrap(), "false");
    assert_eq!(*set.closure().await.unwrap(), "false");
    assert_eq!(*set.without_context().await.unwrap(), "");
}
