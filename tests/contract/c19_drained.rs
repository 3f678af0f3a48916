//! The cluster's row 19: a drain can be waited for.

use std::time::Duration;

use futures_util::FutureExt as _;
use session_core::{CreateError, LocalSession, PropertyKey, SessionKey, SessionManager, WhenFull};

use crate::kit::{Log, Lookout, Slow, Tell, builder, manager, race, settle, threads};
use crate::thread::block_on;

const ANY: PropertyKey<Tell> = PropertyKey::new("any");
const MINUTE: Duration = Duration::from_secs(60);

fn is_drained(sessions: &SessionManager) -> bool {
    sessions.drained().now_or_never().is_some()
}

#[tokio::test]
async fn c19_a_manager_that_drains_creates_no_session_and_keeps_those_it_has() {
    let sessions = manager();
    let key = SessionKey::new("k").unwrap();
    let session = sessions.get_or_create_keyed(&key).unwrap();
    sessions.drain();
    sessions.drain();
    for refused in [
        sessions.create(),
        sessions.create_in("g".into()),
        sessions.get_or_create_keyed(&SessionKey::new("other").unwrap()),
        sessions
            .create_entered(None)
            .map(|request| request.session().clone()),
    ] {
        assert_eq!(refused, Err(CreateError::Draining));
    }
    // It is found, enters, changes its id, its key and its group.
    assert_eq!(sessions.get_or_create_keyed(&key), Ok(session.clone()));
    let mut request = sessions.enter(&session.id()).unwrap();
    let _told = [
        request.cycle_id().unwrap(),
        request.log_in("g".into()).unwrap(),
    ];
    drop(request);
    session.join("h".into()).unwrap();
    session.rekey(None).unwrap();
    assert!(!session.is_completed());
    assert_eq!(sessions.stats().active, 1);
}

/// A new session does not end an old one for a place that it does not get.
#[tokio::test]
async fn c19_a_drain_evicts_nobody() {
    let sessions = builder()
        .max_sessions(1, WhenFull::EvictIdlest)
        .max_sessions_per_group(1, WhenFull::EvictIdlest)
        .build()
        .unwrap();
    let session = sessions.create_in("g".into()).unwrap();
    sessions.drain();
    assert_eq!(sessions.create(), Err(CreateError::Draining));
    assert_eq!(sessions.create_in("g".into()), Err(CreateError::Draining));
    assert!(!session.is_completed());
}

#[tokio::test]
async fn c19_it_is_drained_once_the_last_session_is_cleaned_up() {
    let sessions = manager();
    assert!(!is_drained(&sessions), "it does not drain");
    let all = [(); 3].map(|()| sessions.create().unwrap());
    let log = Log::default();
    let hook = async move |_: Tell| settle().await;
    drop(
        all[2]
            .properties()
            .insert_with(&ANY, log.tell("closed"), hook),
    );
    let request = all[2].enter().unwrap();
    sessions.drain();
    let mut drained = Box::pin(sessions.drained());
    for session in &all {
        assert!(drained.as_mut().now_or_never().is_none());
        session.terminate();
    }
    settle().await;
    assert_eq!(sessions.stats().active, 0);
    assert!(
        drained.as_mut().now_or_never().is_none(),
        "a request is inside"
    );
    drop(request);
    drained.await;
    assert_eq!(log.entries(), ["closed"]);
    assert_eq!(sessions.stats().in_cleanup, 0);
    // From then on, for all that ask.
    assert!(is_drained(&sessions) && is_drained(&sessions.clone()));
}

#[tokio::test]
async fn c19_it_waits_for_the_groups_that_are_cleaned_up_and_not_for_those_that_linger() {
    for linger in [Duration::ZERO, MINUTE] {
        let sessions = builder().group_linger(linger).build().unwrap();
        let session = sessions.create_in("g".into()).unwrap();
        let group = session.group();
        let log = Log::default();
        let hook = async move |_: Tell| settle().await;
        drop(
            group
                .properties()
                .insert_with(&ANY, log.tell("closed"), hook),
        );
        sessions.drain();
        session.terminate();
        sessions.drained().await;
        assert_eq!(group.is_completed(), linger.is_zero());
        assert_eq!(log.count(), usize::from(linger.is_zero()));
    }
}

#[tokio::test(start_paused = true)]
async fn c19_sessions_that_time_out_drain_it() {
    let sessions = builder().idle_timeout(MINUTE).build().unwrap();
    let _session = sessions.create().unwrap();
    sessions.drain();
    tokio::time::timeout(2 * MINUTE, sessions.drained())
        .await
        .unwrap();
}

#[tokio::test]
async fn c19_a_manager_without_sessions_is_drained_at_once() {
    type Stop = fn(&SessionManager);
    let stops: [Stop; 2] = [SessionManager::drain, |sessions| {
        _ = sessions.shutdown(MINUTE).now_or_never();
    }];
    for stop in stops {
        let sessions = manager();
        let waiting = sessions.clone();
        let mut drained = Box::pin(waiting.drained());
        let woken = Lookout::on(&mut drained, || ());
        stop(&sessions);
        woken.seen();
        drained.now_or_never().expect("it is drained");
    }
}

#[tokio::test]
async fn c19_a_shutdown_drains_it() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let request = session.enter().unwrap();
    let mut shutdown = Box::pin(sessions.shutdown(MINUTE));
    assert!(shutdown.as_mut().now_or_never().is_none());
    assert!(!is_drained(&sessions), "a request is inside");
    drop(request);
    sessions.drained().await;
    assert!(shutdown.await.is_clean());
    assert!(is_drained(&sessions));
}

/// It ends nothing, and its end changes nothing.
#[tokio::test]
async fn c19_a_wait_that_is_dropped_changes_nothing() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    sessions.drain();
    let mut kept = Box::pin(sessions.drained());
    for _ in 0..10 {
        assert!(!is_drained(&sessions));
        assert!(kept.as_mut().now_or_never().is_none());
    }
    assert!(!session.is_completed());
    session.terminate();
    kept.await;
}

#[test]
fn c19_a_destructor_that_takes_its_time_is_waited_for() {
    let runtime = threads();
    let sessions = builder().runtime(runtime.handle().clone()).build().unwrap();
    let session = sessions.create().unwrap();
    let (slow, brake) = Slow::new();
    let _owned = session.take_ownership(slow).unwrap();
    sessions.drain();
    session.terminate();
    brake.begun();
    assert!(!is_drained(&sessions));
    drop(brake);
    block_on(sessions.drained());
    assert_eq!(sessions.stats().in_cleanup, 0);
}

#[test]
fn c19_no_session_is_active_once_it_is_drained() {
    let runtime = threads();
    for _ in 0..500 {
        let _entered = runtime.enter();
        let sessions = manager();
        let create = || match sessions.create_entered(None) {
            Ok(request) => {
                assert!(!is_drained(&sessions));
                request.session().terminate();
            }
            Err(error) => assert_eq!(error, CreateError::Draining),
        };
        race([&create, &create, &|| sessions.drain(), &|| {
            block_on(sessions.drained());
            assert_eq!(sessions.create(), Err(CreateError::Draining));
            let stats = sessions.stats();
            assert_eq!((stats.active, stats.in_cleanup), (0, 0));
        }]);
    }
}
