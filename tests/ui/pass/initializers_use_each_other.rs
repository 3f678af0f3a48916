//! Two async initializers that call each other's accessors still return `Send` futures.

#![deny(warnings)]

use session_core::{
    InitContext, LocalSession as _, Property, PropertyError, SessionManager, SessionProperties,
};

#[derive(SessionProperties)]
struct Set {
    #[property(try_async_init = ping)]
    ping: Property<u8>,
    #[property(try_async_init = pong)]
    pong: Property<u8>,
}

async fn ping(cx: &InitContext) -> Result<u8, PropertyError> {
    let set = cx
        .session()
        .props::<Set>()
        .map_err(|_| PropertyError::SessionEnded)?;
    Ok(**set.pong().await? + 1)
}

async fn pong(cx: &InitContext) -> Result<u8, PropertyError> {
    let set = cx
        .session()
        .props::<Set>()
        .map_err(|_| PropertyError::SessionEnded)?;
    Ok(**set.ping().await? + 1)
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let sessions = SessionManager::builder().build().unwrap();
    let set = sessions.create().unwrap().props::<Set>().unwrap();
    assert!(
        tokio::spawn(async move { set.ping().await.is_err() })
            .await
            .unwrap()
    );
}
