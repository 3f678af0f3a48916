//! Surroundings in which the names that an expansion needs mean something else.
#![allow(unused, reason = "they are only in the way")]

use ::session_core::{Exclusive, LocalSession as _, Property, SessionProperties};

struct Result;
struct Option;
struct Future;
struct Box;
struct String;
struct Session;
struct SessionGroup;
struct PropertyRef;
struct PropertyError;
struct PropsError;
struct InitContext;
struct Seed;
trait Send {}
trait Sync {}
trait Default {}
trait Into {}
trait LivesIn {}
enum Variants {
    Ok,
    Err,
    Some,
    None,
}
use Variants::{Err, None, Ok, Some};

mod core {}
mod std {}
mod session_core {}
mod __private {}

macro_rules! unreachable {
    () => {
        compile_error!("this is somebody else's")
    };
}

#[derive(SessionProperties)]
#[session(state = crate::App)]
pub(crate) struct Set {
    #[property(default)]
    default: Property<u8>,
    #[property(init = |cx| cx.state().greeting)]
    init: Property<&'static str>,
    #[property(try_init = || "1".parse::<u8>(), close = drop)]
    try_init: Property<u8>,
    #[property(async_init = async || 2)]
    async_init: Exclusive<u8>,
    by_hand: Property<u8>,
    by_hand_and_lent: Exclusive<u8>,

    // The expansion's own names: those of its variables, of its functions and of the traits it implements.
    #[property(default)]
    seed: Property<u8>,
    #[property(init = || 3)]
    cx: Property<u8>,
    value: Property<u8>,
    #[property(default)]
    bind: Property<u8>,
    #[property(default)]
    props: Property<u8>,
    #[property(default)]
    get: Property<u8>,
}

/// Methods of traits that `Props` does not have: such names reach the set.
#[derive(SessionProperties)]
struct NotShadowed {
    #[property(default)]
    as_ref: Property<u8>,
    #[property(default)]
    drop: Property<u8>,
    #[property(default)]
    eq: Property<u8>,
    #[property(default)]
    hash: Property<u8>,
    #[property(default)]
    into_inner: Property<u8>,
    #[property(default)]
    into_iter: Property<u8>,
    #[property(default)]
    to_string: Property<u8>,
}

/// A variable of the same name in the user's code is the user's, and so is a `self` in it.
#[derive(SessionProperties)]
struct Variables {
    #[property(init = |value| { let cx = value; usize::from(cx.session().is_completed()) })]
    outside: Property<usize>,
    #[property(init = || {
        struct Number(u8);
        impl Number {
            fn get(&self) -> u8 {
                self.0
            }
        }
        Number(5).get()
    })]
    inside: Property<u8>,
}

#[tokio::test]
async fn runs() {
    let (_sessions, session) = crate::session();
    let set = session.props::<Set>().unwrap();
    assert_eq!(**set.default().unwrap(), 0);
    assert_eq!(**set.init().unwrap(), "hello");
    assert_eq!(**set.try_init().unwrap(), 1);
    assert_eq!(*set.async_init().await.unwrap(), 2);
    assert!(set.by_hand().is_none());
    assert!(set.by_hand_and_lent().await.unwrap().is_none());
    assert_eq!(**set.seed().unwrap(), 0);
    assert_eq!(**set.cx().unwrap(), 3);
    assert_eq!(**set.set_value(4).unwrap(), 4);
    assert_eq!(**set.bind().unwrap(), 0);
    assert_eq!(**set.props().unwrap(), 0);
    assert_eq!(**set.get().unwrap(), 0);
    let variables = session.props::<Variables>().unwrap();
    assert_eq!(**variables.outside().unwrap(), 0);
    assert_eq!(**variables.inside().unwrap(), 5);
    let set = session.props::<NotShadowed>().unwrap();
    assert_eq!(**set.as_ref().unwrap(), 0);
    assert_eq!(**set.drop().unwrap(), 0);
    assert_eq!(**set.eq().unwrap(), 0);
    assert_eq!(**set.hash().unwrap(), 0);
    assert_eq!(**set.into_inner().unwrap(), 0);
    assert_eq!(**set.into_iter().unwrap(), 0);
    assert_eq!(**set.to_string().unwrap(), 0);
}
