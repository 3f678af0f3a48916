//! Keywords as names: listings show them without the `r#`.

use session_core::{
    Exclusive, InitContext, LocalSession as _, Property, PropertyInfo, SessionProperties,
};

#[derive(SessionProperties)]
#[session(state = r#mod::r#struct)]
#[allow(non_camel_case_types, reason = "so is the keyword spelled")]
struct r#trait {
    #[property(init = r#mod::r#fn, close = r#mod::r#drop)]
    r#type: Property<u8>,
    #[property(async_init = r#mod::r#async, vis = pub(in crate::raw_identifiers))]
    r#async: Exclusive<u8>,
    r#match: Property<u8>,
}

#[derive(SessionProperties)]
struct NotRaw {
    #[property(default)]
    r#plain: Property<u8>,
    #[property(default, r#name = "shown")]
    r#loop: Property<u8>,
}

mod r#mod {
    use super::InitContext;

    pub(super) use crate::App as r#struct;

    pub(super) fn r#fn() -> u8 {
        1
    }

    pub(super) async fn r#async(cx: &InitContext<r#struct>) -> u8 {
        u8::from(cx.state().greeting.is_empty())
    }

    pub(super) fn r#drop(_: u8) {}
}

#[tokio::test]
async fn runs() {
    let (_sessions, session) = crate::session();
    let set = session.props::<r#trait>().unwrap();
    assert_eq!(**set.r#type().unwrap(), 1);
    assert_eq!(*set.r#async().await.unwrap(), 0);
    set.set_match(3).unwrap();
    assert_eq!(**set.r#match().unwrap(), 3);
    let set = session.props::<NotRaw>().unwrap();
    assert_eq!(**set.plain().unwrap(), 0);
    assert_eq!(**set.r#loop().unwrap(), 0);

    let list = session.properties().list();
    let mut names: Vec<_> = list.iter().map(PropertyInfo::name).collect();
    names.sort_unstable();
    assert_eq!(names, ["async", "match", "plain", "shown", "type"]);
}
