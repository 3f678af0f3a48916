//! `try_init` on a `Property`: errors of any kind.

#![deny(warnings)]

use std::num::ParseIntError;

use session_core::{
    InitContext, LocalSession as _, Property, PropertyError, PropertyRef, SessionManager,
    SessionProperties,
};

#[derive(SessionProperties)]
struct Set {
    #[property(try_init = eight)]
    count: Property<u8>,
    #[property(try_init = || "eight".parse::<u8>())]
    not_a_number: Property<u8>,
    #[property(try_init = |_| Err("there is none"))]
    missing: Property<u8>,
    #[property(try_init = |cx| -> Result<u8, Box<dyn std::error::Error + Send + Sync>> {
        Ok(**cx.session().props::<Set>()?.count()? + 1)
    })]
    next: Property<u8>,
}

fn eight(_: &InitContext) -> Result<u8, ParseIntError> {
    "8".parse()
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let sessions = SessionManager::builder().build().unwrap();
    let set = sessions.create().unwrap().props::<Set>().unwrap();
    let count: Result<&PropertyRef<u8>, PropertyError> = set.count();
    assert_eq!(**count.unwrap(), 8);
    let error = set.not_a_number().unwrap_err();
    assert!(error.downcast_ref::<ParseIntError>().is_some());
    assert!(
        matches!(set.missing(), Err(PropertyError::Failed(error)) if error.to_string() == "there is none")
    );
    assert_eq!(**set.next().unwrap(), 9);
}
