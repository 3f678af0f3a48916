//! session-core is found through a re-export, or under another name.

use session_core::LocalSession as _;

/// A framework that re-exports session-core, for an application that depends only on the framework.
mod framework {
    pub(crate) mod sessions {
        pub(crate) use session_core::*;
    }
}

mod through_a_re_export {
    use super::framework::sessions::{Exclusive, InitContext, Property, SessionProperties};

    #[derive(SessionProperties)]
    #[session(crate = crate::another_crate_path::framework::sessions, state = crate::App)]
    pub(crate) struct Set {
        #[property(init = |cx| cx.state().greeting)]
        pub(crate) greeting: Property<&'static str>,
        #[property(try_async_init = load, close = drop)]
        pub(crate) notes: Exclusive<String>,
        pub(crate) user: Property<String>,
    }

    async fn load(cx: &InitContext<crate::App>) -> std::io::Result<String> {
        Ok(cx.state().greeting.to_owned())
    }
}

mod under_another_name {
    use renamed::{Property, SessionProperties};

    #[derive(SessionProperties)]
    #[session(crate = ::renamed, scope = group)]
    pub(crate) struct Set {
        #[property(default)]
        pub(crate) notes: Property<String>,
    }
}

#[tokio::test]
async fn runs() {
    let (_sessions, session) = crate::session();
    let set = session.props::<through_a_re_export::Set>().unwrap();
    assert_eq!(**set.greeting().unwrap(), "hello");
    assert_eq!(*set.notes().await.unwrap(), "hello");
    set.set_user("ada".into()).unwrap();
    assert_eq!(**set.user().unwrap(), "ada");

    let set = session.group().props::<under_another_name::Set>().unwrap();
    assert!(set.notes().unwrap().is_empty());
}
