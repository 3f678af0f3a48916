//! Nothing is in scope except named items.

use session_core::LocalSession as _;

mod bare {
    #![no_implicit_prelude]

    use ::session_core::{Exclusive, InitContext, Property, SessionProperties};

    #[derive(SessionProperties)]
    #[session(state = crate::App)]
    pub(crate) struct Set {
        #[property(default)]
        pub(crate) default: Property<u8>,
        #[property(init = |cx: &InitContext<crate::App>| cx.state().greeting)]
        pub(crate) init: Property<&'static str>,
        #[property(try_init = one, close = nothing)]
        pub(crate) try_init: Property<u8>,
        #[property(async_init = async || 2)]
        pub(crate) async_init: Property<u8>,
        #[property(try_async_init = |_| async { one() }, close = |value| { let _: u8 = value; })]
        pub(crate) try_async_init: Exclusive<u8>,
        pub(crate) by_hand: Property<u8>,
        pub(crate) by_hand_and_lent: Exclusive<u8>,
    }

    fn one() -> ::core::result::Result<u8, ::std::io::Error> {
        ::std::fs::exists("/").map(::core::convert::Into::into)
    }

    fn nothing(_: u8) {}
}

#[tokio::test]
async fn runs() {
    let (_sessions, session) = crate::session();
    let set = session.props::<bare::Set>().unwrap();
    assert_eq!(**set.default().unwrap(), 0);
    assert_eq!(**set.init().unwrap(), "hello");
    assert_eq!(**set.try_init().unwrap(), 1);
    assert_eq!(**set.async_init().await.unwrap(), 2);
    assert_eq!(*set.try_async_init().await.unwrap(), 1);
    assert!(set.by_hand().is_none());
    set.set_by_hand(3).unwrap();
    assert!(set.by_hand_and_lent().await.unwrap().is_none());
    set.set_by_hand_and_lent(4).unwrap();
}
