//! `default` on a `Property`.

#![deny(warnings)]

use session_core::{
    LocalSession as _, Property, PropertyError, PropertyRef, SessionManager, SessionProperties,
};

#[derive(SessionProperties)]
struct Set {
    #[property(default)]
    notes: Property<Vec<String>>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let sessions = SessionManager::builder().build().unwrap();
    let set = sessions.create().unwrap().props::<Set>().unwrap();
    assert!(set.notes.get().is_none());
    let notes: Result<&PropertyRef<Vec<String>>, PropertyError> = set.notes();
    assert!(notes.unwrap().is_empty());
    assert!(set.notes.get().is_some());
}
