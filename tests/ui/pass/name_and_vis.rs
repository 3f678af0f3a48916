//! The name in listings, and the visibility of the accessors.

#![deny(warnings)]

use session_core::{LocalSession as _, SessionManager};

mod set {
    use session_core::{Exclusive, Property, SessionProperties};

    #[derive(SessionProperties)]
    #[session(name = "the set")]
    pub struct Set {
        #[property(default, name = "the notes", vis = pub(super))]
        notes: Property<String>,
        #[property(vis = pub(crate))]
        user: Property<String>,
        #[property(default, vis = pub(in super::set))]
        pub hidden: Exclusive<String>,
    }

    impl Set {
        // Beside the accessors there is room for the user's own methods.
        pub async fn length(&self) -> usize {
            self.hidden().await.unwrap().len()
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let sessions = SessionManager::builder().build().unwrap();
    let session = sessions.create().unwrap();
    let set = session.props::<set::Set>().unwrap();
    assert!(set.notes().unwrap().is_empty());
    set.set_user("ada".into()).unwrap();
    assert!(set.user().is_some());
    assert!(set.hidden.try_lock().is_none());
    assert_eq!(set.length().await, 0);
    let names: Vec<_> = session
        .properties()
        .list()
        .iter()
        .map(|property| property.name().to_owned())
        .collect();
    assert!(names.contains(&"the notes".to_owned()), "{names:?}");
}
