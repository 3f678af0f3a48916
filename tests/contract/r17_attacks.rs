//! Attacks on a manager by strangers and subscribers.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use session_core::{GroupId, LocalSession, Session, SessionManager, WhenFull};

use crate::kit::builder;

#[tokio::test(start_paused = true)]
async fn r17_dead_ids_do_not_hide_sessions_that_can_be_evicted() {
    let sessions = builder()
        .max_sessions(10, WhenFull::EvictIdlest)
        .build()
        .unwrap();
    let idle: Vec<_> = (0..9).map(|_| sessions.create().unwrap()).collect();
    for _ in 0..500 {
        sessions.create().unwrap().terminate();
    }
    let cycling = sessions.create().unwrap();
    for _ in 0..500 {
        let _new = cycling.cycle_id().unwrap();
    }
    tokio::time::advance(Duration::from_secs(1)).await;
    for _ in 0..100 {
        assert!(sessions.create().is_ok());
    }
    assert!(idle.iter().all(Session::is_completed));
}

/// A subscriber that looks at a session at the moment in which it is woken.
struct Curious {
    session: Session,
    woken: AtomicUsize,
}

impl Wake for Curious {
    fn wake(self: Arc<Self>) {
        let _id = self.session.id();
        let _cause = self.session.completion_cause();
        let _members = self.session.group().sessions();
        self.woken.fetch_add(1, Ordering::Relaxed);
    }
}

#[tokio::test]
async fn r17_a_subscriber_is_woken_outside_all_locks() {
    let steps: [fn(&SessionManager, &Session); 4] = [
        |sessions, _| drop(sessions.create_in(GroupId::from("new")).unwrap()),
        |_, session| session.join(GroupId::from("joined")).unwrap(),
        |_, session| session.group().terminate(),
        |_, session| session.terminate(),
    ];
    for step in steps {
        let sessions = crate::kit::manager();
        let session = sessions.create().unwrap();
        let mut events = sessions.subscribe();
        let curious = Arc::new(Curious {
            session: session.clone(),
            woken: AtomicUsize::new(0),
        });
        let waker = Waker::from(curious.clone());
        {
            let mut next = Box::pin(events.next());
            let polled = next.as_mut().poll(&mut Context::from_waker(&waker));
            assert!(polled.is_pending());
            step(&sessions, &session);
        }
        assert!(curious.woken.load(Ordering::Relaxed) > 0);
    }
}

#[test]
fn r17_a_shutdown_can_be_awaited_outside_the_runtime() {
    let runtime = crate::kit::threads();
    let sessions = builder().runtime(runtime.handle().clone()).build().unwrap();
    sessions.create().unwrap();
    let without_timer = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let report = without_timer.block_on(sessions.shutdown(Duration::from_secs(10)));
    assert_eq!(report.ended(), 1);
}
