//! A `pub` set whose state no other module can name.

#![deny(warnings)]

use session_core::{LocalSession as _, PropsError, SessionManager};

mod workbench {
    use session_core::{InitContext, Property, SessionProperties};

    struct App(u8);

    #[derive(SessionProperties)]
    #[session(state = App)]
    pub struct Workbench {
        #[property(init = number)]
        pub number: Property<u8>,
        #[property(async_init = async |cx| cx.state().0)]
        pub again: Property<u8>,
    }

    fn number(cx: &InitContext<App>) -> u8 {
        cx.state().0
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let sessions = SessionManager::builder()
        .state("another state")
        .build()
        .unwrap();
    let set = sessions.create().unwrap().props::<workbench::Workbench>();
    assert!(matches!(set, Err(PropsError::MissingState(..))));
    if let Ok(set) = set {
        drop(set.number());
        drop(set.again().await);
    }
}
