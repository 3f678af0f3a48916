//! An `Exclusive` without an initializer.

#![deny(warnings)]

use session_core::{
    Exclusive, ExclusiveGuard, LocalSession as _, PropertyError, Refused, SessionManager,
    SessionProperties,
};

#[derive(SessionProperties)]
struct Set {
    upload: Exclusive<Vec<u8>>,
    #[property(close = |upload| assert!(upload.is_empty()))]
    with_a_hook: Exclusive<Vec<u8>>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let sessions = SessionManager::builder().build().unwrap();
    let set = sessions.create().unwrap().props::<Set>().unwrap();
    let upload: Result<Option<ExclusiveGuard<Vec<u8>>>, PropertyError> = set.upload().await;
    assert!(upload.unwrap().is_none());
    let done: Result<(), Refused<Vec<u8>>> = set.set_upload(vec![1]);
    done.unwrap();
    assert_eq!(set.set_upload(vec![2]).unwrap_err().into_value(), [2]);
    assert_eq!(*set.upload().await.unwrap().unwrap(), [1]);
    set.set_with_a_hook(Vec::new()).unwrap();
}
