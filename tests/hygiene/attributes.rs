//! Attributes that are not the derive's own. They mean the same to it as to the compiler.

use session_core::{Exclusive, LocalSession as _, Property, SessionProperties};

#[derive(SessionProperties)]
#[allow(non_snake_case, reason = "there are old names")]
#[cfg_attr(not(any()), session(name = "the set"))]
#[cfg_attr(any(), session(scope = nowhere))]
struct Set {
    /// A line of docs.
    #[doc = "Another line."]
    #[doc(alias = "notes")]
    #[property(default)]
    documented: Property<u8>,

    #[cfg(any())]
    #[property(no_such_key)]
    gone: Property<NoSuchType>,

    #[cfg(not(any()))]
    #[cfg_attr(not(any()), property(init = || 2))]
    #[cfg_attr(any(), property(init = || 3))]
    here: Property<u8>,

    #[property(init = || {
        #[cfg(any())]
        return 4;
        #[cfg(not(any()))]
        return 5;
    })]
    inside: Property<u8>,

    #[rustfmt::skip]
    #[property(default)]
    oldName: Exclusive<u8>,
}

#[tokio::test]
async fn runs() {
    let (_sessions, session) = crate::session();
    let set = session.props::<Set>().unwrap();
    assert_eq!(**set.documented().unwrap(), 0);
    assert_eq!(**set.here().unwrap(), 2);
    assert_eq!(**set.inside().unwrap(), 5);
    assert_eq!(*set.oldName().await.unwrap(), 0);
    let listed = session.properties().list();
    assert_eq!(listed.len(), 4);
    assert!(listed.iter().all(|info| info.set() == Some("the set")));
}
