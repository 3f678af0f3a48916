//! Items that could get in the way: constants, which are patterns, and methods that all types have.
#![allow(
    unused,
    non_camel_case_types,
    non_upper_case_globals,
    reason = "they are only in the way"
)]

use session_core::{Exclusive, InitContext, LocalSession as _, Property, SessionProperties};

const seed: u8 = 1;
static cx: u8 = 1;
struct value;

/// By value, so that these come before methods that take a reference.
trait ByValue: Sized {
    fn get(self) {}
    fn value(self) {}
    fn result(self) {}
    fn check_state(self) {}
    fn map_err(self) {}
    fn into(self) {}
}
impl<T> ByValue for T {}

#[derive(SessionProperties)]
#[session(state = crate::App)]
struct Set {
    #[property(init = || 1)]
    closure: Property<u8>,
    #[property(try_init = path, close = drop)]
    path: Property<usize>,
    #[property(try_async_init = later)]
    later: Exclusive<usize>,
    #[property(default)]
    default: Exclusive<u8>,
    by_hand: Property<u8>,
    by_hand_and_lent: Exclusive<u8>,
}

fn path(context: &InitContext<crate::App>) -> Result<usize, String> {
    let length = context.state().greeting.len();
    if length == 0 {
        Err(String::new())
    } else {
        Ok(length)
    }
}

async fn later(context: &InitContext<crate::App>) -> Result<usize, String> {
    path(context)
}

#[tokio::test]
async fn runs() {
    let (_sessions, session) = crate::session();
    let set = session.props::<Set>().unwrap();
    assert_eq!(**set.closure().unwrap(), 1);
    assert_eq!(**set.path().unwrap(), 5);
    assert_eq!(*set.later().await.unwrap(), 5);
    assert_eq!(*set.default().await.unwrap(), 0);
    assert!(set.by_hand().is_none());
    assert_eq!(**set.set_by_hand(6).unwrap(), 6);
    set.set_by_hand_and_lent(7).unwrap();
    assert_eq!(*set.by_hand_and_lent().await.unwrap().unwrap(), 7);
}
