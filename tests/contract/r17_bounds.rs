//! `max_sessions`: rejection, eviction, and the same number again in cleanup.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use session_core::{
    CompletionCause, CreateError, GroupId, LocalSession, Session, SessionManager, WhenFull,
};
use tokio::time::advance;

use crate::kit::{builder, race, threads};

const MINUTE: Duration = Duration::from_secs(60);

fn bounded(max: usize, when_full: WhenFull) -> SessionManager {
    builder().max_sessions(max, when_full).build().unwrap()
}

fn named() -> GroupId {
    "user".into()
}

fn is_evicted(session: &Session) -> bool {
    session.completion_cause() == Some(CompletionCause::Evicted)
}

#[tokio::test(start_paused = true)]
async fn r17_reject_refuses_the_one_too_many() {
    let sessions = bounded(2, WhenFull::Reject);
    let one = sessions.create().unwrap();
    let _two = sessions.create_in(named()).unwrap();
    assert_eq!(sessions.create().unwrap_err(), CreateError::Full);
    assert_eq!(sessions.create_in(named()).unwrap_err(), CreateError::Full);
    assert_eq!(sessions.stats().created, 2);
    one.terminate();
    let _three = sessions.create().unwrap();
    assert_eq!(sessions.create().unwrap_err(), CreateError::Full);
}

#[tokio::test(start_paused = true)]
async fn r17_as_many_again_may_be_in_cleanup() {
    for when_full in [WhenFull::Reject, WhenFull::EvictIdlest] {
        let sessions = bounded(2, when_full);
        let busy = |session: Session| {
            let request = session.enter().unwrap();
            session.terminate();
            (session, request)
        };
        let one = busy(sessions.create().unwrap());
        let active = sessions.create().unwrap();
        let two = busy(sessions.create().unwrap());
        assert_eq!(
            (sessions.stats().active, sessions.stats().in_cleanup),
            (1, 2)
        );
        // There is room among the active ones, not in cleanup.
        assert_eq!(sessions.create().unwrap_err(), CreateError::Full);
        assert!(!active.is_completed());
        let (session, request) = one;
        drop(request);
        let _ = session.cleanup_completed().await;
        sessions.create().unwrap();
        drop(two);
    }
}

#[tokio::test(start_paused = true)]
async fn r17_eviction_takes_the_longest_idle() {
    let sessions = bounded(3, WhenFull::EvictIdlest);
    let one = sessions.create().unwrap();
    advance(MINUTE).await;
    let two = sessions.create().unwrap();
    advance(MINUTE).await;
    let three = sessions.create().unwrap();
    advance(MINUTE).await;
    // The oldest is not the longest idle.
    drop(one.enter().unwrap());
    let four = sessions.create().unwrap();
    assert!(is_evicted(&two));
    advance(MINUTE).await;
    let _five = sessions.create().unwrap();
    assert!(is_evicted(&three));
    assert!(!one.is_completed() && !four.is_completed());
    assert_eq!(sessions.stats().active, 3);
}

#[tokio::test(start_paused = true)]
async fn r17_eviction_never_takes_one_with_activity() {
    let sessions = bounded(3, WhenFull::EvictIdlest);
    let inside = sessions.create().unwrap();
    let _request = inside.enter().unwrap();
    advance(MINUTE).await;
    let kept = sessions.create_in(named()).unwrap();
    let _kept = kept.keep_alive().unwrap();
    advance(MINUTE).await;
    let idle = sessions.create_in(named()).unwrap();
    let newcomer = sessions.create_in(named()).unwrap();
    assert!(is_evicted(&idle));
    let _request = newcomer.enter().unwrap();
    // No session is left to make room.
    for _ in 0..3 {
        assert_eq!(sessions.create_in(named()).unwrap_err(), CreateError::Full);
    }
    assert!(!inside.is_completed() && !kept.is_completed());
}

#[tokio::test(start_paused = true)]
async fn r17_anonymous_sessions_are_evicted_first() {
    let sessions = bounded(3, WhenFull::EvictIdlest);
    let user = sessions.create_in(named()).unwrap();
    advance(MINUTE).await;
    // A session that became a user's, and one that was asked for its own group.
    let joined = sessions.create().unwrap();
    joined.join(named()).unwrap();
    advance(MINUTE).await;
    let stranger = sessions.create().unwrap();
    let _anonymous = stranger.group();
    advance(MINUTE).await;
    let second = sessions.create().unwrap();
    assert!(is_evicted(&stranger));
    // A flood of anonymous sessions evicts anonymous ones only.
    for _ in 0..1_000 {
        let _ = sessions.create().unwrap();
    }
    assert!(is_evicted(&second));
    assert!(!user.is_completed() && !joined.is_completed());
    // Users' sessions evict anonymous ones too, and each other if there are none.
    let newest = sessions.create_in(named()).unwrap();
    assert!(!user.is_completed() && !joined.is_completed());
    let _third = sessions.create_in(named()).unwrap();
    assert!(is_evicted(&user));
    assert!(!joined.is_completed() && !newest.is_completed());
}

#[tokio::test(start_paused = true)]
async fn r17_strangers_are_refused_before_a_user_is_thrown_out() {
    let sessions = bounded(200, WhenFull::EvictIdlest);
    let users: Vec<_> = (0..200)
        .map(|_| sessions.create_in(named()).unwrap())
        .collect();
    advance(MINUTE).await;
    for _ in 0..1_000 {
        assert_eq!(sessions.create().unwrap_err(), CreateError::Full);
    }
    assert!(!users.iter().any(Session::is_completed));
    // A user's session makes room for another's.
    sessions.create_in(named()).unwrap();
    assert!(is_evicted(&users[0]));
}

#[tokio::test(start_paused = true)]
async fn r17_the_one_idle_session_among_busy_ones_is_found_at_once() {
    let sessions = bounded(202, WhenFull::EvictIdlest);
    let user = sessions.create_in(named()).unwrap();
    let idle = sessions.create().unwrap();
    let busy: Vec<_> = (0..200)
        .map(|_| sessions.create_entered(None).unwrap())
        .collect();
    advance(MINUTE).await;
    sessions.create().unwrap();
    assert!(is_evicted(&idle));
    assert!(!user.is_completed());
    drop(busy);
}

/// Streams near the end of their absolute timeout are the next to be due, but are not the longest idle.
#[tokio::test(start_paused = true)]
async fn r17_eviction_goes_on_where_busy_sessions_are_due_first() {
    let sessions = bounded(1_000, WhenFull::EvictIdlest);
    let busy: Vec<_> = (0..64)
        .map(|_| sessions.create_entered(None).unwrap())
        .collect();
    advance(MINUTE * (8 * 60 - 10)).await;
    for _ in 0..936 + 1_000 {
        sessions.create().unwrap();
    }
    assert!(!busy.iter().any(|request| request.session().is_completed()));
}

#[tokio::test(start_paused = true)]
async fn r17_eviction_finds_one_where_all_were_active_lately() {
    let sessions = bounded(500, WhenFull::EvictIdlest);
    let all: Vec<_> = (0..500).map(|_| sessions.create().unwrap()).collect();
    advance(MINUTE).await;
    for session in &all {
        drop(session.enter().unwrap());
    }
    let _newcomer = sessions.create().unwrap();
    assert_eq!(sessions.stats().active, 500);
}

#[tokio::test(start_paused = true)]
async fn r17_eviction_works_where_the_absolute_timeout_comes_first() {
    let sessions = builder()
        .idle_timeout(MINUTE * 60)
        .absolute_timeout(MINUTE * 30)
        .max_sessions(2, WhenFull::EvictIdlest)
        .build()
        .unwrap();
    let one = sessions.create().unwrap();
    advance(MINUTE).await;
    let two = sessions.create().unwrap();
    advance(MINUTE).await;
    drop(one.enter().unwrap());
    let _three = sessions.create().unwrap();
    assert!(is_evicted(&two));
    assert!(!one.is_completed());
}

#[tokio::test(start_paused = true)]
async fn r17_eviction_follows_a_cycled_id() {
    let sessions = bounded(2, WhenFull::EvictIdlest);
    let one = sessions.create().unwrap();
    advance(MINUTE).await;
    let two = sessions.create().unwrap();
    advance(MINUTE).await;
    let _told = one.cycle_id().unwrap();
    let _three = sessions.create().unwrap();
    assert!(is_evicted(&one), "a new id is no activity");
    assert!(!two.is_completed());
}

#[test]
fn r17_the_bound_holds_under_races() {
    let runtime = threads();
    let _entered = runtime.enter();
    for when_full in [WhenFull::Reject, WhenFull::EvictIdlest] {
        let sessions = bounded(10, when_full);
        let held = AtomicUsize::new(0);
        let flood = || {
            for _ in 0..500 {
                match (when_full, sessions.create()) {
                    (WhenFull::Reject, Ok(session)) => {
                        // Counted only while it is certainly active.
                        let now = held.fetch_add(1, Ordering::Relaxed) + 1;
                        assert!(now <= 10);
                        held.fetch_sub(1, Ordering::Relaxed);
                        session.terminate();
                    }
                    (WhenFull::Reject, Err(error)) => assert_eq!(error, CreateError::Full),
                    (_, created) => drop(created),
                }
            }
        };
        race([&flood; 16]);
        assert!(sessions.sessions().len() <= 10);
        let stats = sessions.stats();
        assert_eq!(stats.active, sessions.sessions().len());
        assert_eq!(stats.in_cleanup, 0);
    }
}
