//! A set of groups: its functions take a group's context.

#![deny(warnings)]

use session_core::{
    InitContext, LocalSession as _, Property, SessionGroup, SessionManager, SessionProperties,
};

#[derive(SessionProperties)]
#[session(scope = group)]
struct Shared {
    #[property(init = count)]
    count: Property<usize>,
    #[property(async_init = async |cx| cx.group().is_completed())]
    is_over: Property<bool>,
}

#[derive(SessionProperties)]
#[session(scope = session)]
struct Own {
    #[property(default)]
    notes: Property<String>,
}

fn count(cx: &InitContext<(), SessionGroup>) -> usize {
    usize::from(!cx.group().is_completed())
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let sessions = SessionManager::builder().build().unwrap();
    let session = sessions.create().unwrap();
    let shared = session.group().props::<Shared>().unwrap();
    assert_eq!(**shared.count().unwrap(), 1);
    assert!(!**shared.is_over().await.unwrap());
    assert!(session.props::<Own>().unwrap().notes().unwrap().is_empty());
}
