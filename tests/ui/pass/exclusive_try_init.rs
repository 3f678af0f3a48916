//! `try_init` on an `Exclusive`.

#![deny(warnings)]

use session_core::{
    Exclusive, ExclusiveGuard, LocalSession as _, PropertyError, SessionManager, SessionProperties,
};

#[derive(SessionProperties)]
struct Set {
    #[property(try_init = || "8".parse::<u8>())]
    number: Exclusive<u8>,
    #[property(try_init = || "eight".parse::<u8>())]
    not_a_number: Exclusive<u8>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let sessions = SessionManager::builder().build().unwrap();
    let set = sessions.create().unwrap().props::<Set>().unwrap();
    let number: Result<ExclusiveGuard<u8>, PropertyError> = set.number().await;
    *number.unwrap() += 1;
    assert_eq!(*set.number().await.unwrap(), 9);
    assert!(matches!(
        set.not_a_number().await,
        Err(PropertyError::Failed(_))
    ));
}
