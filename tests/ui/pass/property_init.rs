//! `init` on a `Property`: a path or a closure that takes nothing or the context.

#![deny(warnings)]

use session_core::{
    InitContext, LocalSession as _, Property, PropertyError, PropertyRef, SessionManager,
    SessionProperties,
};

struct App {
    title: &'static str,
}

#[derive(SessionProperties)]
#[session(state = App)]
struct Set {
    #[property(init = String::new)]
    path: Property<String>,
    #[property(init = titled)]
    path_with_context: Property<String>,
    #[property(init = || "notes".into())]
    closure: Property<String>,
    #[property(init = |cx| cx.state().title.into())]
    closure_with_context: Property<String>,
    #[property(init = |cx: &InitContext<App>| titled(cx))]
    closure_with_type: Property<String>,
    #[property(init = |_| Vec::new())]
    context_of_no_use: Property<Vec<u8>>,
    #[property(init = <String as Default>::default)]
    qualified: Property<String>,
}

fn titled(cx: &InitContext<App>) -> String {
    cx.state().title.to_owned()
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let sessions = SessionManager::builder()
        .state(App { title: "title" })
        .build()
        .unwrap();
    let set = sessions.create().unwrap().props::<Set>().unwrap();
    let path: Result<&PropertyRef<String>, PropertyError> = set.path();
    assert_eq!(**path.unwrap(), "");
    assert_eq!(**set.path_with_context().unwrap(), "title");
    assert_eq!(**set.closure().unwrap(), "notes");
    assert_eq!(**set.closure_with_context().unwrap(), "title");
    assert_eq!(**set.closure_with_type().unwrap(), "title");
    assert!(set.context_of_no_use().unwrap().is_empty());
    assert!(set.qualified().unwrap().is_empty());
}
