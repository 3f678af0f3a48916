//! `cleanup_completed()` and its report.

use std::sync::{Arc, Weak};
use std::time::Duration;

use futures_util::FutureExt as _;
use session_core::{
    CleanupCompleted, CleanupReport, LocalSession, Property, PropertyKey, SessionProperties,
};

use crate::kit::{Bomb, Log, Tell, Watch, builder, manager, problems, settle};

const ANY: PropertyKey<Tell> = PropertyKey::new("any");

#[tokio::test(start_paused = true)]
async fn r05_it_can_be_asked_for_at_any_time_and_cloned() {
    let sessions = manager();
    let session = sessions.create_in("g".into()).unwrap();
    let group = session.group();
    let log = Log::default();
    drop(session.properties().insert(&ANY, log.tell("any")));
    drop(group.properties().insert(&ANY, log.tell("of the group")));

    let of_group = group.cleanup_completed();
    let before = session.cleanup_completed();
    let spawned = tokio::spawn(before.clone());
    settle().await;
    assert!(
        before.clone().now_or_never().is_none(),
        "the session is active"
    );
    session.terminate();
    let meanwhile = session.cleanup_completed();
    let (one, other, third) = tokio::join!(before.clone(), before, meanwhile);
    let after = session.cleanup_completed();
    let after = after.now_or_never().expect("there is nothing to wait for");
    for report in [one, other, third, after, spawned.await.unwrap()] {
        assert_eq!(report.closed(), 1);
        assert!(report.is_clean());
    }
    assert_eq!(of_group.await.closed(), 1);
    let after = group.cleanup_completed().now_or_never().unwrap();
    assert_eq!(after.closed(), 1);
}

#[tokio::test(start_paused = true)]
async fn r05_it_is_told_of_a_session_that_holds_nothing_too() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let before = session.cleanup_completed();
    session.terminate();
    assert_eq!(before.now_or_never().unwrap().closed(), 0);
    let after = session.cleanup_completed().now_or_never().unwrap();
    assert!(after.is_clean());
}

#[tokio::test(start_paused = true)]
async fn r05_it_holds_nothing_alive() {
    struct App;
    let app = Arc::new(App);
    let kept: Weak<App> = Arc::downgrade(&app);
    let sessions = builder().state(app).build().unwrap();
    let mut events = sessions.subscribe();
    let session = sessions.create().unwrap();
    let log = Log::default();
    drop(session.properties().insert(&ANY, log.tell("any")));
    let weak = session.downgrade();
    let asked_before = session.cleanup_completed();
    let asked_of_group = session.group().cleanup_completed();
    session.terminate();
    let asked_after = session.cleanup_completed();
    drop((session, sessions));
    settle().await;

    assert!(weak.upgrade().is_none(), "the session is gone");
    assert!(kept.upgrade().is_none(), "and the manager's state");
    while let Some(event) = events.next().now_or_never() {
        if event.is_none() {
            break;
        }
    }
    assert!(events.next().now_or_never().unwrap().is_none(), "and all");
    assert_eq!(asked_before.await.closed(), 1);
    assert_eq!(asked_after.await.closed(), 1);
    assert_eq!(asked_of_group.await.closed(), 0);
}

#[test]
fn r05_it_is_a_future_that_goes_anywhere() {
    fn goes_anywhere<F>()
    where
        F: Future<Output = CleanupReport> + Clone + Send + Sync + Unpin + 'static,
    {
    }
    goes_anywhere::<CleanupCompleted>();
}

#[derive(SessionProperties)]
struct Desk {
    #[property(name = "the lamp", close = |_: u8| Err::<(), _>("blown"))]
    lamp: Property<u8>,
}

#[tokio::test(start_paused = true)]
async fn r05_the_report_tells_by_key_and_type() {
    const HELD: PropertyKey<String> = PropertyKey::new("held");
    const HANGS: PropertyKey<[u8; 2]> = PropertyKey::new("hangs");
    const PANICS: PropertyKey<Bomb> = PropertyKey::new("panics");
    const CLEAN: PropertyKey<Vec<u8>> = PropertyKey::new("clean");
    let sessions = manager();
    let session = sessions.create().unwrap();
    let properties = session.properties();
    drop(properties.insert(&CLEAN, vec![1]).unwrap());
    drop(properties.insert(&PANICS, Bomb).unwrap());
    let hangs = async |_: [u8; 2]| std::future::pending::<()>().await;
    drop(properties.insert_with(&HANGS, [1, 2], hangs).unwrap());
    let _held = properties.insert(&HELD, String::new()).unwrap();
    let desk = session.props::<Desk>().unwrap();
    desk.set_lamp(1).unwrap();
    drop(desk);
    let _owned = session.take_ownership(Bomb).unwrap();
    let _owned = session.take_ownership(vec![1]).unwrap();
    let task = session.spawn(|_| std::future::pending::<()>()).unwrap();
    let _request = session.enter().unwrap();
    session.terminate();
    let report = session.cleanup_completed().await;
    assert!(task.await.is_err());

    assert!(!report.is_clean());
    let told: Vec<_> = report.problems().iter().map(ToString::to_string).collect();
    let expected = [
        "`owned value` (contract::kit::Bomb): panicked: boom",
        "`task` (core::future::pending::Pending<()>): aborted",
        "`request`: still held",
        "`the lamp` (u8): failed: \"blown\"",
        "`hangs` ([u8; 2]): timed out",
        "`panics` (contract::kit::Bomb): panicked: boom",
        "`held` (alloc::string::String): still held",
    ];
    assert_eq!(told, expected);
    // Both owned values, the lamp, and the values that hang, panic and close cleanly.
    assert_eq!(report.closed(), 6);
}

#[tokio::test(start_paused = true)]
async fn r05_an_initializers_panic_in_cleanup_is_told() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let own = session.clone();
    let caller = tokio::spawn(async move {
        let token = own.completion_token();
        let properties = own.properties();
        let made = properties.get_or_init_async(&ANY, || async move {
            token.cancelled().await;
            panic!("in the initializer")
        });
        made.await.map(drop)
    });
    let task = session.spawn(|token| async move {
        token.cancelled().await;
        panic!("in the task")
    });
    settle().await;
    session.terminate();
    let report = session.cleanup_completed().await;
    assert!(caller.await.unwrap().is_err());
    assert!(task.unwrap().await.unwrap_err().is_panic());
    let mut told = problems(&report);
    told.sort_unstable();
    let expected = [
        "any: panicked: in the initializer",
        "task: panicked: in the task",
    ];
    assert_eq!(told, expected);
}

#[tokio::test(start_paused = true)]
async fn r05_it_resolves_once_the_timeouts_have_passed_whatever_hangs() {
    let sessions = builder()
        .drain_timeout(Duration::from_secs(5))
        .close_timeout(Duration::from_secs(3))
        .build()
        .unwrap();
    let session = sessions.create().unwrap();
    let log = Log::default();
    let _request = session.enter().unwrap();
    let _kept = session.keep_alive().unwrap();
    let task = session.spawn(|_| std::future::pending::<()>()).unwrap();
    let own = session.clone();
    let initializer = tokio::spawn(async move {
        const NEVER: PropertyKey<u8> = PropertyKey::new("never");
        let properties = own.properties();
        let made = properties.get_or_init_async(&NEVER, std::future::pending);
        made.await.map(drop)
    });
    settle().await;
    let hangs = async |_: Tell| std::future::pending::<()>().await;
    for at in 0..3 {
        let key = PropertyKey::named(format!("hook {at}"));
        let inserted = session
            .properties()
            .insert_with(&key, log.tell("hook"), hangs);
        drop(inserted.unwrap());
    }
    let _held = session.properties().insert(&ANY, log.tell("held")).unwrap();
    let watch = Watch::start();
    session.terminate();
    let report = session.cleanup_completed().await;
    // Drain and the moment after it, one hook after the other, and the values held at the end.
    assert!(watch.millis() <= 5_000 + 1_000 + 3 * 3_000 + 3_000);
    assert_eq!(report.problems().len(), 7, "{report:?}");
    assert!(task.await.is_err());
    assert!(initializer.await.unwrap().is_err());
}

#[tokio::test(start_paused = true)]
async fn r05_inside_the_session_itself_it_waits_for_itself_and_the_report_names_it() {
    let sessions = manager();

    // A task: it is aborted as it waits.
    let session = sessions.create().unwrap();
    let cleanup = session.cleanup_completed();
    let task = session.spawn(|_| cleanup).unwrap();
    session.terminate();
    let report = session.cleanup_completed().await;
    let [problem] = report.problems() else {
        unreachable!("{report:?}")
    };
    let waiting = std::any::type_name::<session_core::CleanupCompleted>();
    assert_eq!(problem.to_string(), format!("`task` ({waiting}): aborted"));
    assert!(task.await.unwrap_err().is_cancelled());

    // A request: it is told in the end, and stands in what it is told.
    let session = sessions.create().unwrap();
    let request = session.enter().unwrap();
    session.terminate();
    let report = request.session().cleanup_completed().await;
    assert_eq!(problems(&report), ["request: still held"]);
    drop(request);

    // A hook.
    let session = sessions.create().unwrap();
    let log = Log::default();
    let cleanup = session.cleanup_completed();
    let hook = async move |_: Tell| drop(cleanup.await);
    drop(
        session
            .properties()
            .insert_with(&ANY, log.tell("any"), hook),
    );
    session.terminate();
    let report = session.cleanup_completed().await;
    assert_eq!(problems(&report), ["any: timed out"]);
}

#[tokio::test(start_paused = true)]
async fn r05_a_value_with_nothing_to_close_is_not_counted() {
    const NUMBER: PropertyKey<u64> = PropertyKey::new("number");
    let sessions = manager();
    let session = sessions.create().unwrap();
    let log = Log::default();
    drop(session.properties().insert(&NUMBER, 1));
    drop(session.properties().insert(&ANY, log.tell("any")));
    session.terminate();
    assert_eq!(session.cleanup_completed().await.closed(), 1);
}

#[tokio::test(start_paused = true)]
async fn r05_a_hook_that_cleanup_has_waited_for_in_vain_is_still_held() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let log = Log::default();
    let hangs = async |value: Tell| {
        std::future::pending::<()>().await;
        drop(value);
    };
    let inserted = session
        .properties()
        .insert_with(&ANY, log.tell("any"), hangs);
    let handle = inserted.unwrap();
    drop(session.properties().remove(&ANY).unwrap());
    // Cleanup waits for this, so that it is at its end when the hook begins.
    let other = session
        .properties()
        .insert(&PropertyKey::<Tell>::new("other"), log.tell("other"))
        .unwrap();
    session.terminate();
    settle().await;
    drop(handle);
    drop(other);
    let report = session.cleanup_completed().await;
    assert_eq!(problems(&report), ["any: still held"]);
}

#[tokio::test(start_paused = true)]
async fn r05_a_value_that_is_taken_back_is_waited_for_no_longer() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let log = Log::default();
    let handle = session.properties().insert(&ANY, log.tell("any")).unwrap();
    session.terminate();
    let cleanup = session.cleanup_completed();
    settle().await;
    assert!(cleanup.clone().now_or_never().is_none(), "it is held");
    let watch = Watch::start();
    let value = handle.try_into_inner().unwrap();
    let report = cleanup.await;
    assert_eq!(
        (report.closed(), report.is_clean()),
        (0, true),
        "{report:?}"
    );
    assert_eq!(watch.millis(), 0);
    assert_eq!(log.count(), 0);
    drop(value);
}
