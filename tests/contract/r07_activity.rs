//! Idle time and absolute time, on tokio's clock.

use std::cell::RefCell;
use std::time::Duration;

use session_core::{
    CompletionCause, GroupId, KeepAlive, LocalSession, RequestGuard, Session, SessionEnded,
    SessionManager,
};
use tokio::time::{Instant, advance, sleep};

use crate::kit::{Watch, builder, only, settle};

const IDLE: Duration = Duration::from_secs(64);
const SECOND: Duration = Duration::from_secs(1);

fn manager() -> SessionManager {
    builder().idle_timeout(IDLE).build().unwrap()
}

/// The width of a timer bucket.
fn bucket(timeout: Duration) -> Duration {
    (timeout / 64).min(Duration::from_millis(1_008))
}

/// Waits for the session's end, which must come no earlier than `due`, and within a bucket after it.
async fn assert_ends(session: &Session, due: Instant, timeout: Duration, cause: CompletionCause) {
    session.completion_token().cancelled().await;
    let late = Instant::now().checked_duration_since(due);
    let late = late.expect("not before its time");
    assert!(late < bucket(timeout), "{late:?} late after {timeout:?}");
    assert_eq!(session.completion_cause(), Some(cause));
}

async fn assert_idles(session: &Session, since: Instant, timeout: Duration) {
    assert_ends(
        session,
        since + timeout,
        timeout,
        CompletionCause::IdleTimeout,
    )
    .await;
}

/// Irregular spans of time below `most`, the same ones in every run.
fn spans(most: Duration) -> impl Iterator<Item = Duration> {
    let mut seed = 42_u64;
    std::iter::repeat_with(move || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let part = u32::try_from(seed >> 44).unwrap();
        most * part / (1 << 20)
    })
}

#[tokio::test(start_paused = true)]
async fn r07_idle_time_runs_from_the_end_of_the_last_activity() {
    for timeout in [2, 5, 64, 20 * 60].map(Duration::from_secs) {
        let sessions = builder().idle_timeout(timeout).build().unwrap();
        let mut spans = spans(timeout);
        let mut span = || spans.next().unwrap();
        for _ in 0..20 {
            sleep(span()).await;
            let session = sessions.create().unwrap();
            assert_idles(&session, Instant::now(), timeout).await;

            let session = sessions.create().unwrap();
            // Twice, so that the timer is armed again in between.
            for _ in 0..2 {
                sleep(span()).await;
                let request = session.enter().unwrap();
                sleep(span()).await;
                drop(request);
            }
            assert_idles(&session, Instant::now(), timeout).await;

            let session = sessions.create().unwrap();
            sleep(span()).await;
            let kept = session.keep_alive().unwrap();
            sleep(span()).await;
            drop(kept);
            assert_idles(&session, Instant::now(), timeout).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn r07_never_during_an_activity() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let request = session.enter().unwrap();
    sleep(IDLE * 10).await;
    assert!(!session.is_completed());
    // For overlapping ones the end of the last counts.
    let kept = [session.keep_alive().unwrap(), session.keep_alive().unwrap()];
    sleep(IDLE * 10).await;
    drop(request);
    for kept in kept {
        sleep(IDLE * 10).await;
        assert!(!session.is_completed());
        drop(kept);
    }
    let other = session.enter().unwrap();
    sleep(IDLE * 10).await;
    assert!(!session.is_completed());
    let third = session.keep_alive().unwrap();
    drop(other);
    drop(third);
    assert_idles(&session, Instant::now(), IDLE).await;
}

#[tokio::test(start_paused = true)]
async fn r07_an_activity_at_the_last_moment_counts() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let created = Instant::now();
    let last = IDLE.checked_sub(Duration::from_millis(1)).unwrap();
    sleep(last).await;
    drop(session.enter().unwrap());
    // The timer's bucket for the time without that request comes up meanwhile.
    let since = created + last;
    assert_idles(&session, since, IDLE).await;
}

#[tokio::test(start_paused = true)]
async fn r07_nothing_else_is_activity() {
    let sessions = manager();
    let session = sessions.create_in("g".into()).unwrap();
    let since = Instant::now();
    let id = session.id();
    let busy = session.spawn(|_| std::future::pending::<()>()).unwrap();
    for _ in 0..30 {
        sleep(SECOND).await;
        let found = sessions.get(&id).unwrap();
        assert!(!sessions.sessions().is_empty());
        let group: GroupId = "g".into();
        assert_eq!(only(sessions.group(&group).unwrap().sessions()), found);
        assert!(found.properties().list().is_empty());
        let _looked = (found.age(), found.group(), found.completion_token());
        let _weak = found.downgrade().upgrade();
    }
    // A new id has its own timer entry, and does not count as activity either.
    let _told = session.cycle_id().unwrap();
    session.join("other".into()).unwrap();
    assert_idles(&session, since, IDLE).await;
    busy.abort();
}

#[test]
fn r07_the_guards_go_anywhere() {
    fn goes_anywhere<T: Send + 'static>() {}
    goes_anywhere::<RequestGuard>();
    goes_anywhere::<KeepAlive>();
}

#[tokio::test(start_paused = true)]
async fn r07_a_panic_and_a_client_that_hangs_up_end_them_too() {
    let sessions = manager();

    let session = sessions.create().unwrap();
    let (request, kept) = (session.enter().unwrap(), session.keep_alive().unwrap());
    let panics = tokio::spawn(async move {
        let _guards = (request, kept);
        sleep(IDLE * 3).await;
        panic!("in the handler");
    });
    assert!(panics.await.unwrap_err().is_panic());
    assert_idles(&session, Instant::now(), IDLE).await;

    let session = sessions.create().unwrap();
    let (request, kept) = (session.enter().unwrap(), session.keep_alive().unwrap());
    let mut response = Box::pin(async move {
        let _guards = (request, kept);
        std::future::pending::<()>().await;
    });
    tokio::select! {
        () = &mut response => unreachable!(),
        () = sleep(IDLE * 3) => {}
    }
    assert!(!session.is_completed());
    drop(response);
    assert_idles(&session, Instant::now(), IDLE).await;
}

#[tokio::test(start_paused = true)]
async fn r07_the_task_of_an_upgraded_connection_takes_its_own() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let request = session.enter().unwrap();
    let kept = request.session().keep_alive().unwrap();
    let connection = tokio::spawn(async move {
        let _kept = kept;
        sleep(IDLE * 5).await;
    });
    drop(request);
    connection.await.unwrap();
    assert!(!session.is_completed());
    assert_idles(&session, Instant::now(), IDLE).await;
}

#[tokio::test(start_paused = true)]
async fn r07_after_completion_both_are_refused() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let inside = session.enter().unwrap();
    session.terminate();
    assert_eq!(session.enter().unwrap_err(), SessionEnded);
    assert_eq!(session.keep_alive().unwrap_err(), SessionEnded);
    drop(inside);
    let _ = session.cleanup_completed().await;
    assert_eq!(session.enter().unwrap_err(), SessionEnded);
    assert_eq!(session.keep_alive().unwrap_err(), SessionEnded);
}

/// Places that read a clock other than the test's.
type Elsewhere = fn(Box<dyn FnOnce() + Send>);

const ELSEWHERE: [Elsewhere; 3] = [
    |act| act(),
    |act| another_runtime().block_on(async { act() }),
    |act| {
        let act = async { tokio::spawn(async { act() }).await.unwrap() };
        another_runtime().block_on(act);
    },
];

fn another_runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

fn do_elsewhere(elsewhere: Elsewhere, act: impl FnOnce() + Send + 'static) {
    let thread = std::thread::spawn(move || elsewhere(Box::new(act)));
    thread.join().unwrap();
}

#[tokio::test(start_paused = true)]
async fn r07_guards_dropped_on_plain_threads_and_in_other_runtimes_read_the_same_clock() {
    let sessions = manager();
    for (elsewhere, keep) in ELSEWHERE
        .into_iter()
        .flat_map(|at| [(at, false), (at, true)])
    {
        let session = sessions.create().unwrap();
        let request = (!keep).then(|| session.enter().unwrap());
        let kept = keep.then(|| session.keep_alive().unwrap());
        // The machine's own clock does not see this.
        advance(IDLE * 10).await;
        settle().await;
        // Nor does the timer, which was just armed again.
        advance(IDLE / 2).await;
        do_elsewhere(elsewhere, move || drop((request, kept)));
        settle().await;
        assert!(!session.is_completed());
        assert_idles(&session, Instant::now(), IDLE).await;
    }
}

/// By then tokio's clock is no longer available.
#[tokio::test]
async fn r07_guards_dropped_as_their_thread_ends_leave_the_session() {
    thread_local! {
        static KEPT: RefCell<Option<(RequestGuard, KeepAlive)>> = const { RefCell::new(None) };
    }
    let sessions = manager();
    let session = sessions.create().unwrap();
    let (guards, runtime) = (
        (session.enter().unwrap(), session.keep_alive().unwrap()),
        tokio::runtime::Handle::current(),
    );
    let thread = std::thread::spawn(move || {
        KEPT.set(Some(guards));
        // The thread-local that this creates is destroyed before earlier ones.
        drop(runtime.enter());
    });
    thread.join().unwrap();
    session.terminate();
    assert!(session.cleanup_completed().await.is_clean());
}

#[tokio::test(start_paused = true)]
async fn r07_sessions_made_on_plain_threads_and_in_other_runtimes_read_the_same_clock() {
    let sessions = manager();
    for elsewhere in ELSEWHERE {
        advance(IDLE * 10).await;
        let own = sessions.clone();
        do_elsewhere(elsewhere, move || drop(own.create().unwrap()));
        let session = only(sessions.sessions());
        assert!(session.age() < SECOND);
        assert_idles(&session, Instant::now(), IDLE).await;
    }
}

#[tokio::test(start_paused = true)]
async fn r07_the_absolute_timeout_runs_from_creation_and_holds_under_traffic() {
    let absolute = Duration::from_secs(640);
    let sessions = builder()
        .idle_timeout(IDLE)
        .absolute_timeout(absolute)
        .build()
        .unwrap();
    let ends = async |session: &Session, created: Instant| {
        assert_ends(
            session,
            created + absolute,
            IDLE,
            CompletionCause::AbsoluteTimeout,
        )
        .await;
    };

    // Requests that come and go.
    let session = sessions.create().unwrap();
    let created = Instant::now();
    let visitor = session.clone();
    let traffic = tokio::spawn(async move {
        while let Ok(request) = visitor.enter() {
            sleep(SECOND / 7).await;
            drop(request);
            sleep(SECOND / 7).await;
        }
    });
    ends(&session, created).await;
    traffic.await.unwrap();

    // A request that never leaves, a session that is kept alive, and one that moved.
    let session = sessions.create().unwrap();
    let created = Instant::now();
    let _inside = session.enter().unwrap();
    ends(&session, created).await;

    let session = sessions.create().unwrap();
    let created = Instant::now();
    let _kept = session.keep_alive().unwrap();
    ends(&session, created).await;

    let session = sessions.create().unwrap();
    let created = Instant::now();
    let _kept = session.keep_alive().unwrap();
    sleep(absolute / 2).await;
    let _told = session.cycle_id().unwrap();
    session.join("g".into()).unwrap();
    ends(&session, created).await;
}

#[tokio::test(start_paused = true)]
async fn r07_the_absolute_timeout_may_be_the_shorter_one() {
    let absolute = Duration::from_secs(32);
    let sessions = builder()
        .idle_timeout(IDLE)
        .absolute_timeout(absolute)
        .build()
        .unwrap();
    let session = sessions.create().unwrap();
    let due = Instant::now() + absolute;
    assert_ends(&session, due, absolute, CompletionCause::AbsoluteTimeout).await;
}

#[tokio::test(start_paused = true)]
async fn r07_expiry_needs_no_traffic() {
    let sessions = manager();
    let all: Vec<_> = (0..1_000).map(|_| sessions.create().unwrap()).collect();
    let watch = Watch::start();
    drop(all);
    while sessions.stats().active > 0 {
        sleep(Duration::from_millis(1)).await;
    }
    assert!(watch.millis() >= IDLE.as_millis());
    assert!(watch.millis() < (IDLE + bucket(IDLE)).as_millis());
}

#[tokio::test(start_paused = true)]
async fn r07_after_many_years_sessions_still_end_and_the_timer_rests() {
    let sessions = builder().idle_timeout(IDLE).build().unwrap();
    for years in [2, 3, 20] {
        tokio::time::advance(years * 365 * 24 * 3600 * SECOND).await;
        let session = sessions.create().unwrap();
        let due = Instant::now() + IDLE;
        assert_ends(&session, due, IDLE, CompletionCause::IdleTimeout).await;
        // Superseded ids have their own timer.
        let other = sessions.create().unwrap();
        drop(other.terminate_and_supersede());
        sleep(60 * SECOND).await;
        let refused = sessions.enter(&other.id()).unwrap_err();
        assert_eq!(refused, session_core::NotLive::Unknown);
    }
}
