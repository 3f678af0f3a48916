//! `default` on an `Exclusive`.

#![deny(warnings)]

use session_core::{
    Exclusive, ExclusiveGuard, LocalSession as _, PropertyError, SessionManager, SessionProperties,
};

#[derive(SessionProperties)]
struct Set {
    #[property(default)]
    notes: Exclusive<Vec<String>>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let sessions = SessionManager::builder().build().unwrap();
    let set = sessions.create().unwrap().props::<Set>().unwrap();
    assert!(set.notes.try_lock().is_none());
    let notes: Result<ExclusiveGuard<Vec<String>>, PropertyError> = set.notes().await;
    notes.unwrap().push("first".into());
    assert_eq!(set.notes().await.unwrap().len(), 1);
    assert!(set.notes.try_lock().is_some());
}
