//! Sets in crates that deny every lint that can be denied.

#![deny(
    warnings,
    missing_docs,
    unreachable_pub,
    unused,
    rust_2018_idioms,
    single_use_lifetimes,
    unused_qualifications
)]
#![deny(
    clippy::all,
    clippy::pedantic,
    clippy::missing_docs_in_private_items,
    clippy::absolute_paths
)]

use std::num::ParseIntError;

use session_core::{Exclusive, InitContext, LocalSession as _, Property, SessionProperties};
use tokio::task::yield_now;

/// A public set. Its accessors are documented, because their fields are.
#[derive(Debug, SessionProperties)]
#[session(state = crate::App)]
pub struct Everything {
    /// Made by `Default`.
    #[property(default)]
    pub default: Property<Vec<u8>>,
    /// Made at once.
    #[property(init = |cx| cx.state().greeting)]
    pub init: Property<&'static str>,
    /// Made, perhaps.
    #[property(try_init = parse, close = |number| assert!(number > 0))]
    pub try_init: Property<u8>,
    /// Made later.
    #[property(async_init = load, close = drop)]
    pub async_init: Property<String>,
    /// Made later, perhaps.
    #[property(try_async_init = async |_| parse())]
    pub try_async_init: Exclusive<u8>,
    /// Lent.
    #[property(init = String::new)]
    pub lent: Exclusive<String>,
    /// Set by hand.
    pub by_hand: Property<u8>,
    /// Set by hand, and lent.
    pub by_hand_and_lent: Exclusive<u8>,
    /// Not used by anybody.
    #[property(default)]
    hidden: Property<u8>,
    /// Replaced by another.
    #[deprecated = "use `init`"]
    #[property(default)]
    pub old: Property<u8>,
    /// Only there where it is built.
    #[cfg(unix)]
    #[property(default)]
    pub unix: Property<u8>,
    /// Never there.
    #[cfg(not(any(unix, windows)))]
    #[property(default)]
    pub other: Property<NoSuchType>,
}

/// Nobody should start to use it.
#[derive(Debug, SessionProperties)]
#[deprecated]
pub struct Old {
    /// Set by hand.
    pub by_hand: Property<u8>,
}

/// No properties yet.
#[derive(Debug, SessionProperties)]
pub struct Empty {}

/// A number.
fn parse() -> Result<u8, ParseIntError> {
    "8".parse()
}

/// A greeting.
async fn load(cx: &InitContext<crate::App>) -> String {
    yield_now().await;
    cx.state().greeting.to_owned()
}

#[tokio::test]
async fn runs() {
    let (_sessions, session) = crate::session();
    let set = session.props::<Everything>().unwrap();
    assert!(set.default().unwrap().is_empty());
    assert_eq!(**set.init().unwrap(), "hello");
    assert_eq!(**set.try_init().unwrap(), 8);
    assert_eq!(**set.async_init().await.unwrap(), "hello");
    assert_eq!(*set.try_async_init().await.unwrap(), 8);
    assert!(set.lent().await.unwrap().is_empty());
    assert!(set.by_hand().is_none());
    set.set_by_hand(1).unwrap();
    assert!(set.by_hand_and_lent().await.unwrap().is_none());
    set.set_by_hand_and_lent(1).unwrap();
    #[cfg(unix)]
    assert_eq!(**set.unix().unwrap(), 0);
    assert!(session.props::<Empty>().is_ok());
}
