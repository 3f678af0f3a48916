//! A `Property` without an initializer.

#![deny(warnings)]

use session_core::{
    LocalSession as _, Property, PropertyRef, Refused, SessionManager, SessionProperties,
};

#[derive(SessionProperties)]
struct Set {
    user: Property<String>,
    #[property]
    with_an_empty_attribute: Property<u8>,
    #[property(close = drop)]
    r#type: Property<String>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let sessions = SessionManager::builder().build().unwrap();
    let set = sessions.create().unwrap().props::<Set>().unwrap();
    let user: Option<&PropertyRef<String>> = set.user();
    assert!(user.is_none());
    let user: Result<&PropertyRef<String>, Refused<String>> = set.set_user("ada".into());
    assert_eq!(**user.unwrap(), "ada");
    assert_eq!(set.set_user("eve".into()).unwrap_err().into_value(), "eve");
    assert_eq!(**set.user().unwrap(), "ada");
    assert!(set.with_an_empty_attribute().is_none());
    set.set_type("raw".into()).unwrap();
    assert_eq!(**set.r#type().unwrap(), "raw");
}
