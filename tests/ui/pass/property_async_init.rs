//! `async_init` on a `Property`: anything that returns a future.

#![deny(warnings)]

use std::future::{Ready, ready};

use session_core::{
    InitContext, LocalSession as _, Property, PropertyError, PropertyRef, SessionManager,
    SessionProperties,
};

#[derive(SessionProperties)]
struct Set {
    #[property(async_init = load)]
    path: Property<u8>,
    #[property(async_init = load_with)]
    path_with_context: Property<u8>,
    #[property(async_init = at_once)]
    path_to_a_plain_function: Property<u8>,
    #[property(async_init = async || 4)]
    closure: Property<u8>,
    #[property(async_init = async |cx| load_with(cx).await + 1)]
    closure_with_context: Property<u8>,
    #[property(async_init = || async { 6 })]
    closure_that_gives_a_future: Property<u8>,
    #[property(async_init = |cx| async move { load_with(cx).await + 3 })]
    closure_that_borrows: Property<u8>,
}

async fn load() -> u8 {
    1
}

async fn load_with(cx: &InitContext) -> u8 {
    let session = cx.session();
    tokio::task::yield_now().await;
    u8::from(!session.is_completed()) + u8::from(!cx.completion_token().is_cancelled())
}

fn at_once() -> Ready<u8> {
    ready(3)
}

fn assert_send<T: Send>(future: T) -> T {
    future
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let sessions = SessionManager::builder().build().unwrap();
    let set = sessions.create().unwrap().props::<Set>().unwrap();
    let path: Result<&PropertyRef<u8>, PropertyError> = assert_send(set.path()).await;
    assert_eq!(**path.unwrap(), 1);
    assert_eq!(**set.path_with_context().await.unwrap(), 2);
    assert_eq!(**set.path_to_a_plain_function().await.unwrap(), 3);
    assert_eq!(**set.closure().await.unwrap(), 4);
    assert_eq!(**set.closure_with_context().await.unwrap(), 3);
    assert_eq!(**set.closure_that_gives_a_future().await.unwrap(), 6);
    assert_eq!(**set.closure_that_borrows().await.unwrap(), 5);
}
