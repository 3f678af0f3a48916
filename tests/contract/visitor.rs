//! User code that uses everything a session offers, which it may do anywhere.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Wake, Waker};

use futures_util::FutureExt as _;
use session_core::{
    Exclusive, LocalSession, Property, PropertyKey, PropertyRef, Session, SessionManager,
    SessionProperties,
};

use crate::kit::builder;

/// The state of such user code: it uses everything a session offers, and counts.
#[derive(Clone)]
pub(crate) struct Visitor(Arc<Visit>);

struct Visit {
    sessions: SessionManager,
    session: Session,
    visits: AtomicUsize,
}

impl Visitor {
    pub(crate) fn new() -> Self {
        let sessions = builder().build().unwrap();
        let session = sessions.create_in("visitors".into()).unwrap();
        Self(Arc::new(Visit {
            sessions,
            session,
            visits: AtomicUsize::new(0),
        }))
    }

    pub(crate) fn sessions(&self) -> &SessionManager {
        &self.0.sessions
    }

    pub(crate) fn session(&self) -> &Session {
        &self.0.session
    }

    /// A waker that calls.
    pub(crate) fn waker(&self) -> Waker {
        Waker::from(self.0.clone())
    }

    /// How often it was called since the last time this was asked.
    pub(crate) fn visits(&self) -> usize {
        self.0.visits.swap(0, Ordering::Relaxed)
    }

    pub(crate) fn call(&self) {
        let number = self.0.visits.fetch_add(1, Ordering::Relaxed);
        let Visit {
            sessions, session, ..
        } = &*self.0;
        use_local(session, number);
        use_local(&session.group(), number);
        if let Ok(set) = session.props::<Visited>() {
            let _ = (
                set.shared(),
                set.shared.get(),
                set.by_hand(),
                set.set_by_hand(1),
            );
            let _ = (set.lent().now_or_never(), set.lent.try_lock());
        }
        let _ = (session.enter(), session.keep_alive(), session.cycle_id());
        let _ = session.join("visitors".into());
        assert!(session.downgrade().upgrade().is_some());
        let _ = (
            sessions.get(&session.id()),
            sessions.group(&"visitors".into()),
        );
        let _ = (sessions.sessions(), sessions.groups(), sessions.subscribe());
        let _ = format!(
            "{sessions:?} {session:?} {:?} {:?}",
            session.group(),
            session.age()
        );
        sessions.create().unwrap().terminate();
    }
}

fn use_local(local: &impl LocalSession, number: usize) {
    let key = PropertyKey::<String, _>::named(format!("visit {number}"));
    let on_a_task = PropertyKey::<usize, _>::named(format!("visit {number} on a task"));
    let properties = local.properties();
    let _ = (properties.insert(&key, "in".into()), properties.get(&key));
    let _ = properties.replace_with(&key, "over".into(), |_: String| ());
    let _ = properties.replace(&key, "again".into());
    let _ = properties.remove(&key);
    let _ = properties.insert_with(&key, "in".into(), async |_: String| ());
    let _ = properties.get_or_init(&key, || "made".into());
    let _ = properties.get_or_try_init(&key, || Err::<_, fmt::Error>(fmt::Error));
    let _ = properties
        .remove(&key)
        .map(|handle| handle.map(PropertyRef::try_into_inner));
    let _ = properties
        .get_or_init_async(&on_a_task, || async { 1 })
        .now_or_never();
    let _ = (
        properties.list(),
        properties.is_read_only(),
        format!("{properties:?}"),
    );
    if let Ok(owned) = local.take_ownership("owned".to_owned()) {
        owned.dispose();
    }
    let _ = local
        .take_ownership("owned".to_owned())
        .map(|owned| owned.reclaim());
    let _ = local.spawn(|token| async move { token.is_cancelled() });
    let _ = (local.completion_token(), local.completion_cause());
    assert_eq!(local.is_completed(), properties.is_read_only());
    let _ = local.cleanup_completed().now_or_never();
}

#[derive(SessionProperties)]
pub(crate) struct Visited {
    #[property(default)]
    shared: Property<String>,
    #[property(default)]
    pub(crate) lent: Exclusive<String>,
    by_hand: Property<u8>,
}

impl Wake for Visit {
    fn wake(self: Arc<Self>) {
        Visitor(self).call();
    }
}
