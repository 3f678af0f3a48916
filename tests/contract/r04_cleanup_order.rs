//! The order of a cleanup: owned values, drain, properties, leaving the group, and the announcement.

use std::time::Duration;

use futures_util::FutureExt as _;
use session_core::{
    CompletionCause, KeepAlive, LocalSession, Property, PropertyKey, PropertyRef, Session,
    SessionProperties,
};
use tokio::sync::oneshot;

use crate::kit::{Log, Tell, Watch, manager, only, race, settle, spin_until, threads};

const FIRST: PropertyKey<Tell> = PropertyKey::new("first");
const SECOND: PropertyKey<Tell> = PropertyKey::new("second");
const THIRD: PropertyKey<Tell> = PropertyKey::new("third");
const LATE: PropertyKey<Tell> = PropertyKey::new("late");

#[derive(SessionProperties)]
#[session(state = Log)]
struct Left {
    #[property(init = |cx| cx.state().tell("left a"))]
    a: Property<Tell>,
    #[property(init = |cx| cx.state().tell("left b"))]
    b: Property<Tell>,
}

#[derive(SessionProperties)]
#[session(state = Log)]
struct Right {
    #[property(async_init = async |cx| cx.state().tell("right a"))]
    a: Property<Tell>,
    #[property(close = closed_later)]
    b: Property<Tell>,
    kept: Property<KeepAlive>,
}

async fn closed_later(value: Tell) {
    let log = value.log.clone();
    log.add("right b's hook begins");
    tokio::time::sleep(Duration::from_secs(1)).await;
    drop(value);
    log.add("right b's hook ends");
}

#[tokio::test(start_paused = true)]
async fn r04_the_whole_order() {
    let log = Log::default();
    let sessions = crate::kit::builder().state(log.clone()).build().unwrap();
    let session = sessions.create_in("g".into()).unwrap();
    let group = session.group();

    // The drain: a request, a task, an initializer.
    let request = session.enter().unwrap();
    let (go_on, gone_on) = oneshot::channel::<()>();
    let telling = log.clone();
    let task = session.spawn(|token| async move {
        token.cancelled().await;
        telling.add("the task is told");
        let _ = gone_on.await;
        telling.add("the task ends");
    });
    drop(task.unwrap());
    let (own, telling) = (session.clone(), log.clone());
    let making = tokio::spawn(async move {
        let token = own.completion_token();
        let properties = own.properties();
        let made = properties.get_or_init_async(&LATE, || async move {
            token.cancelled().await;
            telling.add("the initializer ends");
            telling.tell("what it made is dropped")
        });
        made.await.map(drop)
    });

    // The closed properties, over the dictionary and two sets, in an order that is neither's own.
    let (left, right) = (
        session.props::<Left>().unwrap(),
        session.props::<Right>().unwrap(),
    );
    let hook = seen_from_the_last_hook(&session);
    drop(
        session
            .properties()
            .insert_with(&FIRST, log.tell("first"), hook),
    );
    left.b().unwrap();
    right.set_kept(session.keep_alive().unwrap()).unwrap();
    right.a().await.unwrap();
    drop(session.properties().insert(&SECOND, log.tell("second")));
    left.a().unwrap();
    right.set_b(log.tell("right b")).unwrap();
    drop(session.properties().insert(&THIRD, log.tell("third")));
    drop((left, right));

    // The owned values, taken early and late.
    let _owned = session.take_ownership(log.tell("owned 1")).unwrap();
    let _owned = session.take_ownership(log.tell("owned 2")).unwrap();
    settle().await;

    session.terminate();
    let (telling, cleanup, left_group) = (log.clone(), session.cleanup_completed(), group.clone());
    let waiting = tokio::spawn(async move {
        let report = cleanup.await;
        assert!(left_group.sessions().is_empty());
        telling.add("it is told");
        report
    });
    settle().await;
    // The request is still inside. Work that ends by itself, once the token is cancelled, may end before or after (a).
    let mut entries = log.entries();
    let of_itself = |entry: &mut String| !entry.starts_with("owned");
    let mut ended: Vec<_> = entries.extract_if(.., of_itself).collect();
    ended.sort_unstable();
    assert_eq!(entries, ["owned 2", "owned 1"]);
    let of_itself = [
        "the initializer ends",
        "the task is told",
        "what it made is dropped",
    ];
    assert_eq!(ended, of_itself);
    assert!(making.await.unwrap().is_err());

    log.add("the request leaves");
    drop(request);
    settle().await;
    go_on.send(()).unwrap();
    let report = waiting.await.unwrap();
    let rest = [
        "the request leaves",
        "the task ends",
        "third",
        "right b's hook begins",
        "right b",
        "right b's hook ends",
        "left a",
        "second",
        "right a",
        "left b",
        "the last hook",
        "first",
        "it is told",
    ];
    assert_eq!(log.entries()[5..], rest);
    assert!(report.is_clean(), "{report:?}");
    // 2 owned, 8 published (the guard among them), 1 that came too late.
    assert_eq!(report.closed(), 11);
    assert_eq!(
        group.completion_cause(),
        Some(CompletionCause::LastSessionEnded)
    );
}

/// A hook that checks that the last steps are still to come.
fn seen_from_the_last_hook(session: &Session) -> impl FnOnce(Tell) + Send + Sync + 'static {
    let weak = session.downgrade();
    move |value: Tell| {
        let session = weak.upgrade().unwrap();
        value.log.add("the last hook");
        assert_eq!(only(session.group().sessions()), session, "not left yet");
        assert!(!session.group().is_completed());
        assert!(session.cleanup_completed().now_or_never().is_none());
    }
}

#[tokio::test(start_paused = true)]
async fn r04_published_is_when_the_initializer_has_finished() {
    let log = Log::default();
    let sessions = manager();
    let session = sessions.create().unwrap();
    let (first, second) = (oneshot::channel::<()>(), oneshot::channel::<()>());
    let properties = session.properties();
    let make = |name, wait: oneshot::Receiver<()>| {
        let log = log.clone();
        move || async move {
            let _ = wait.await;
            log.tell(name)
        }
    };
    // Begun first, finished last.
    let of_first = properties.get_or_init_async(&FIRST, make("first", first.1));
    let of_second = properties.get_or_init_async(&SECOND, make("second", second.1));
    let finish = async {
        settle().await;
        second.0.send(()).unwrap();
        settle().await;
        first.0.send(()).unwrap();
    };
    let (made_first, made_second, ()) = tokio::join!(of_first, of_second, finish);
    drop((made_first.unwrap(), made_second.unwrap()));

    // The inner one is published before the outer one, which waits for it.
    let outer = properties.get_or_init(&LATE, || {
        let _ = properties.get_or_init(&THIRD, || log.tell("inner"));
        log.tell("outer")
    });
    drop(outer.unwrap());

    session.terminate();
    let _ = session.cleanup_completed().await;
    assert_eq!(log.entries(), ["outer", "inner", "first", "second"]);
}

#[tokio::test(start_paused = true)]
async fn r04_a_replaced_property_has_the_place_of_its_new_value() {
    let log = Log::default();
    let sessions = manager();
    let session = sessions.create().unwrap();
    let properties = session.properties();
    drop(properties.insert(&FIRST, log.tell("old")).unwrap());
    drop(properties.insert(&SECOND, log.tell("second")).unwrap());
    drop(properties.replace(&FIRST, log.tell("new")).unwrap());
    assert_eq!(log.entries(), ["old"]);
    session.terminate();
    let _ = session.cleanup_completed().await;
    assert_eq!(log.entries(), ["old", "new", "second"]);
}

/// A younger value that uses an older one while it is closed.
struct Runner {
    connection: PropertyRef<Tell>,
}

#[tokio::test(start_paused = true)]
async fn r04_sets_are_gone_but_a_hook_reaches_elder_values_through_its_own() {
    const RUNNER: PropertyKey<Runner> = PropertyKey::new("runner");
    let log = Log::default();
    let sessions = crate::kit::builder().state(log.clone()).build().unwrap();
    let session = sessions.create().unwrap();
    let left = session.props::<Left>().unwrap();
    let connection = left.a().unwrap().clone();
    drop(left);
    let weak = session.downgrade();
    let hook = async move |runner: Runner| {
        let session = weak.upgrade().unwrap();
        assert!(session.props::<Left>().is_err());
        assert!(session.properties().get(&RUNNER).is_none());
        tokio::task::yield_now().await;
        let log = &runner.connection.log;
        log.add(format!("the runner stops, on {}", runner.connection.name));
    };
    let runner = Runner { connection };
    drop(session.properties().insert_with(&RUNNER, runner, hook));
    session.terminate();
    let report = session.cleanup_completed().await;
    assert_eq!(log.entries(), ["the runner stops, on left a", "left a"]);
    assert!(report.is_clean(), "{report:?}");
    assert_eq!(report.closed(), 2);
}

#[tokio::test(start_paused = true)]
async fn r04_it_waits_for_each_hook_before_the_next() {
    let log = Log::default();
    let sessions = manager();
    let session = sessions.create().unwrap();
    for key in [&FIRST, &SECOND, &THIRD] {
        let value = log.tell("dropped");
        let hook = async |value: Tell| {
            value.log.add("begins");
            tokio::time::sleep(Duration::from_secs(3)).await;
            drop(value);
        };
        drop(session.properties().insert_with(key, value, hook).unwrap());
    }
    let watch = Watch::start();
    session.terminate();
    let report = session.cleanup_completed().await;
    assert_eq!(
        log.entries(),
        [
            "begins", "dropped", "begins", "dropped", "begins", "dropped"
        ]
    );
    assert_eq!((watch.millis(), report.closed()), (9_000, 3));
}

#[tokio::test(start_paused = true)]
async fn r04_a_groups_cleanup_has_the_same_order() {
    let log = Log::default();
    let sessions = manager();
    let session = sessions.create_in("g".into()).unwrap();
    let group = session.group();
    let (go_on, gone_on) = oneshot::channel::<()>();
    let telling = log.clone();
    let task = group.spawn(|_| async move {
        let _ = gone_on.await;
        telling.add("the task ends");
    });
    drop(task.unwrap());
    let _owned = group.take_ownership(log.tell("owned 1")).unwrap();
    let _owned = group.take_ownership(log.tell("owned 2")).unwrap();
    drop(group.properties().insert(&FIRST, log.tell("first")));
    drop(group.properties().insert(&SECOND, log.tell("second")));
    session.terminate();
    settle().await;
    assert_eq!(log.entries(), ["owned 2", "owned 1"]);
    go_on.send(()).unwrap();
    let report = group.cleanup_completed().await;
    assert_eq!(log.entries()[2..], ["the task ends", "second", "first"]);
    assert!(report.is_clean());
}

#[test]
fn r04_to_be_cleaned_up_and_to_leave_the_group_are_one_step() {
    let runtime = threads();
    let _entered = runtime.enter();
    let sessions = manager();
    for round in 0..500 {
        let session = sessions.create_in("g".into()).unwrap();
        let _stays = sessions.create_in("g".into()).unwrap();
        let group = session.group();
        // Every other session takes a task for its cleanup.
        if round % 2 == 0 {
            drop(session.take_ownership(Vec::from([1])).unwrap());
        }
        let is_cleaned_up = || session.cleanup_completed().now_or_never().is_some();
        let is_member = || group.sessions().contains(&session);
        race([
            &|| session.terminate(),
            &|| {
                // A session that has left has only the announcement before it.
                spin_until(|| !is_member());
                assert!(session.completion_token().is_cancelled(), "round {round}");
                spin_until(is_cleaned_up);
            },
            &|| {
                spin_until(is_cleaned_up);
                assert!(!is_member(), "round {round}");
            },
        ]);
    }
}

#[tokio::test]
async fn r04_cleanup_lets_other_tasks_run() {
    const MANY: usize = 20_000;
    let sessions = manager();
    let session = sessions.create().unwrap();
    for number in 0..MANY {
        let key = PropertyKey::<String, std::sync::Arc<str>>::named(number.to_string());
        drop(session.properties().insert(&key, "x".to_owned()).unwrap());
        drop(session.take_ownership("y".to_owned()).unwrap());
    }
    session.terminate();
    let cleanup = session.cleanup_completed();
    let mut turns = 0;
    while cleanup.clone().now_or_never().is_none() {
        tokio::task::yield_now().await;
        turns += 1;
    }
    assert_eq!(cleanup.await.closed(), 2 * MANY);
    // A few hundred values a turn, as tokio's budget demands of any task.
    assert!(turns > 100, "{turns}");
}
