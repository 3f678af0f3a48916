//! The idle timeout of one session, `touch`, `expires_in` and `activity`.

use std::time::Duration;

use allocation_counter::measure;
use session_core::{CompletionCause, GroupId, LocalSession, Session, SessionManager, WhenFull};
use tokio::time::{Instant, advance, sleep};

use crate::kit::{builder, settle};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const IDLE: Duration = Duration::from_secs(20 * 60);
/// The width of a timer bucket at the default timeouts.
const BUCKET: Duration = Duration::from_millis(1_008);

pub(crate) fn manager() -> SessionManager {
    builder().idle_timeout(IDLE).build().unwrap()
}

/// Waits for the session's end, which must come no earlier than `due`, and within a bucket after it.
pub(crate) async fn assert_idles(session: &Session, due: Instant) {
    session.completion_token().cancelled().await;
    let late = Instant::now().checked_duration_since(due);
    let late = late.expect("not before its time");
    assert!(late < BUCKET, "{late:?} late");
    assert_eq!(
        session.completion_cause(),
        Some(CompletionCause::IdleTimeout)
    );
}

#[tokio::test(start_paused = true)]
async fn r24_a_shorter_timeout_is_in_effect_at_once() {
    let sessions = manager();
    let start = Instant::now();
    for wait in [0, 7, 123].map(Duration::from_secs) {
        let [other, session] = std::array::from_fn(|_| sessions.create().unwrap());
        let since = Instant::now();
        // The timer sleeps until long after the new time.
        sleep(wait).await;
        session.set_idle_timeout(wait + MINUTE);
        assert_idles(&session, since + wait + MINUTE).await;
        assert!(!other.is_completed(), "it is of one session");
        assert_idles(&other, since + IDLE).await;
    }
    assert!(start.elapsed() < IDLE * 4);
}

#[tokio::test(start_paused = true)]
async fn r24_it_counts_from_the_end_of_the_last_activity() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let request = session.enter().unwrap();
    session.set_idle_timeout(MINUTE);
    sleep(IDLE * 2).await;
    assert!(!session.is_completed());
    drop(request);
    let ended = Instant::now();
    sleep(MINUTE / 2).await;
    // Once again, with the idle time under way.
    session.set_idle_timeout(MINUTE / 4 * 3);
    assert_idles(&session, ended + MINUTE / 4 * 3).await;
}

#[tokio::test(start_paused = true)]
async fn r24_a_session_that_has_been_idle_for_longer_ends_in_the_call() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    sleep(MINUTE).await;
    session.set_idle_timeout(MINUTE + SECOND);
    assert!(!session.is_completed());
    session.set_idle_timeout(MINUTE / 10 * 9);
    assert_eq!(
        session.completion_cause(),
        Some(CompletionCause::IdleTimeout)
    );
    assert!(sessions.get(&session.id()).is_none());
}

#[tokio::test(start_paused = true)]
async fn r24_a_longer_timeout_is_in_effect_at_once() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let since = Instant::now();
    session.set_idle_timeout(MINUTE);
    sleep(MINUTE / 10 * 9).await;
    session.set_idle_timeout(IDLE * 2);
    assert_idles(&session, since + IDLE * 2).await;
}

#[tokio::test(start_paused = true)]
async fn r24_of_many_changes_the_last_counts() {
    let sessions = manager();
    for last in [5, 30, 300, 3_000].map(Duration::from_secs) {
        let session = sessions.create().unwrap();
        let since = Instant::now();
        for seconds in [100, 10, 2_000, 50, 7_000, 60, 20] {
            session.set_idle_timeout(Duration::from_secs(seconds));
            sleep(SECOND / 2).await;
        }
        session.set_idle_timeout(last);
        assert_idles(&session, since + last).await;
    }
}

#[tokio::test(start_paused = true)]
async fn r24_it_stays_with_the_session_whatever_its_id_and_group() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let since = Instant::now();
    session.set_idle_timeout(MINUTE);
    drop(session.cycle_id().unwrap());
    session.join("g".into()).unwrap();
    assert_idles(&session, since + MINUTE).await;

    let session = sessions.create().unwrap();
    let since = Instant::now();
    drop(session.cycle_id().unwrap());
    session.set_idle_timeout(MINUTE);
    drop(session.cycle_id().unwrap());
    assert_idles(&session, since + MINUTE).await;
}

#[tokio::test(start_paused = true)]
async fn r24_zero_ends_an_idle_session_at_once() {
    let sessions = manager();
    for wait in [Duration::ZERO, SECOND / 100, MINUTE] {
        let session = sessions.create().unwrap();
        sleep(wait).await;
        session.set_idle_timeout(Duration::ZERO);
        assert_eq!(
            session.completion_cause(),
            Some(CompletionCause::IdleTimeout)
        );
    }
    assert_eq!(sessions.stats().active, 0);
}

#[tokio::test(start_paused = true)]
async fn r24_zero_ends_it_with_its_last_activity() {
    for when_full in [WhenFull::Reject, WhenFull::EvictIdlest] {
        let sessions = builder().max_sessions(9, when_full).build().unwrap();
        let session = sessions.create().unwrap();
        let requests = [session.enter().unwrap(), session.enter().unwrap()];
        session.set_idle_timeout(Duration::ZERO);
        sleep(MINUTE).await;
        let kept = session.keep_alive().unwrap();
        drop(requests);
        assert!(!session.is_completed());
        sleep(MINUTE).await;
        let last = session.enter().unwrap();
        drop(kept);
        assert!(!session.is_completed());
        drop(last);
        assert_eq!(
            session.completion_cause(),
            Some(CompletionCause::IdleTimeout)
        );
        assert!(session.cleanup_completed().await.is_clean());

        // A guard ends it, too.
        let session = sessions.create().unwrap();
        let kept = session.keep_alive().unwrap();
        session.set_idle_timeout(Duration::ZERO);
        drop(kept);
        assert!(session.is_completed());
        assert_eq!(sessions.stats().active, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn r24_zero_can_be_taken_back_during_the_activity() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let request = session.enter().unwrap();
    session.set_idle_timeout(Duration::ZERO);
    sleep(MINUTE).await;
    session.set_idle_timeout(MINUTE);
    drop(request);
    assert!(!session.is_completed());
    assert_idles(&session, Instant::now() + MINUTE).await;
}

#[tokio::test(start_paused = true)]
async fn r24_the_longest_leaves_the_absolute_timeout() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let created = Instant::now();
    session.set_idle_timeout(Duration::MAX);
    session.completion_token().cancelled().await;
    let absolute = Duration::from_secs(8 * 3600);
    let late = created.elapsed().checked_sub(absolute).unwrap();
    assert!(late < BUCKET, "{late:?} late");
    assert_eq!(
        session.completion_cause(),
        Some(CompletionCause::AbsoluteTimeout)
    );

    // It can be shortened again.
    let session = sessions.create().unwrap();
    session.set_idle_timeout(Duration::MAX);
    session.set_idle_timeout(Duration::MAX);
    session.set_idle_timeout(MINUTE);
    assert_idles(&session, Instant::now() + MINUTE).await;
}

#[tokio::test(start_paused = true)]
async fn r24_years_are_years() {
    let year = Duration::from_secs(365 * 24 * 3600);
    let endless = builder().absolute_timeout(Duration::MAX).build().unwrap();
    let session = endless.create().unwrap();
    session.set_idle_timeout(year * 10);
    assert_eq!(session.expires_in(), year * 10);
    assert_idles(&session, Instant::now() + year * 10).await;
}

#[tokio::test(start_paused = true)]
async fn r24_on_a_completed_session_nothing_happens() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let request = session.enter().unwrap();
    session.terminate();
    session.set_idle_timeout(Duration::ZERO);
    session.touch();
    assert_eq!(session.expires_in(), Duration::ZERO);
    drop(request);
    let _ = session.cleanup_completed().await;
    session.set_idle_timeout(MINUTE);
    session.touch();
    assert_eq!(session.expires_in(), Duration::ZERO);
    assert_eq!(session.activity().idle, None);
    assert_eq!(
        session.completion_cause(),
        Some(CompletionCause::Terminated)
    );
    assert_eq!(sessions.stats().active, 0);
}

#[tokio::test(start_paused = true)]
async fn r24_eviction_takes_the_one_that_was_touched_last_at_last() {
    let full = builder().max_sessions(3, WhenFull::EvictIdlest);
    let sessions = full.build().unwrap();
    let [first, second, third] = std::array::from_fn(|_| sessions.create().unwrap());
    for touched in [&second, &first] {
        advance(SECOND).await;
        touched.touch();
        advance(SECOND).await;
    }
    // A session's own timeout is no reason to evict it sooner.
    second.set_idle_timeout(MINUTE * 30);
    first.set_idle_timeout(MINUTE);
    for evicted in [&third, &second, &first] {
        assert!(!evicted.is_completed());
        sessions.create().unwrap();
        assert_eq!(evicted.completion_cause(), Some(CompletionCause::Evicted));
    }
}

#[tokio::test(start_paused = true)]
async fn r24_a_session_that_had_a_timeout_of_zero_is_evicted_once() {
    let full = builder().max_sessions(2, WhenFull::EvictIdlest);
    let sessions = full.build().unwrap();
    let [session, other] = std::array::from_fn(|_| sessions.create().unwrap());
    let request = session.enter().unwrap();
    session.set_idle_timeout(Duration::ZERO);
    session.set_idle_timeout(IDLE);
    advance(SECOND).await;
    drop(request);
    let _new = sessions.create().unwrap();
    assert!(other.is_completed() && !session.is_completed());
    let _new = sessions.create().unwrap();
    assert!(session.is_completed());
    assert_eq!(sessions.stats().active, 2);
    assert!(sessions.create().is_ok());
}

#[test]
fn r24_a_timeout_of_its_own_takes_no_memory_of_the_session() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async {
        let sessions = manager();
        let all: Vec<_> = (0..1_000).map(|_| sessions.create().unwrap()).collect();
        settle().await;
        let longer = measure(|| {
            for session in &all {
                session.set_idle_timeout(IDLE * 2);
                session.touch();
            }
        });
        assert_eq!(longer.count_total, 0, "{longer:?}");

        // The timer has a second entry of a shortened one, until the time of the first.
        let session = sessions.create_in(GroupId::from("g")).unwrap();
        for round in 1..20_u32 {
            let hour = measure(|| {
                for seconds in (1..60_u64).rev().flat_map(|minutes| [minutes * 60, 7_200]) {
                    session.set_idle_timeout(Duration::from_secs(seconds));
                    session.touch();
                }
            });
            assert!(hour.bytes_current < 32 * 1024, "{round}: {hour:?}");
        }
        let before = measure(|| session.set_idle_timeout(MINUTE));
        assert!(before.bytes_current < 1024, "{before:?}");
    });
}

#[test]
fn r24_a_million_changes_leave_nothing_in_the_timer() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    let sessions = {
        let _entered = runtime.enter();
        let endless = builder()
            .idle_timeout(Duration::MAX)
            .absolute_timeout(Duration::MAX);
        endless.build().unwrap()
    };
    let session = sessions.create().unwrap();
    let change = |times: u64| {
        runtime.block_on(async {
            let day = 24 * 3600;
            for time in 0..times {
                // Each is earlier than all before, so each needs an entry.
                let seconds = day * 365 * 20 - time * 60;
                session.set_idle_timeout(Duration::from_secs(seconds));
                if time % 100 == 0 {
                    settle().await;
                }
            }
            session.set_idle_timeout(Duration::MAX);
            settle().await;
        });
    };
    change(10_000);
    let memory = measure(|| change(100_000));
    assert!(memory.bytes_current.abs() < 256 * 1024, "{memory:?}");
    assert!(!session.is_completed());
}
