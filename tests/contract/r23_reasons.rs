//! The reason of an end, in words: given by the call that completes, and shown wherever the end is.

use std::borrow::Cow;
use std::fmt::{Debug, Write as _};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use session_core::{
    CompletionCause, CycleError, LifecycleEvent, LocalSession, Session, SessionManager, Subject,
};

use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer};

use crate::kit::{Log, builder, come, manager, only, race, threads};
use crate::subscriber::subscribe;

const WHY: &str = "the password was changed";

fn reason(local: &impl LocalSession) -> Option<String> {
    local.completion_reason().map(|reason| reason.to_string())
}

/// The reasons of the completions so far, with their subjects.
fn told(events: &mut session_core::LifecycleEvents) -> Vec<(Subject, Option<Arc<str>>)> {
    let told = come(events).into_iter().filter_map(|event| match event {
        LifecycleEvent::Completed(subject, CompletionCause::Terminated, reason) => {
            Some((subject, reason))
        }
        _ => None,
    });
    told.collect()
}

#[tokio::test]
async fn r23_it_ends_like_terminate_and_says_why() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let token = session.completion_token();
    assert_eq!(reason(&session), None);
    session.terminate_because(WHY);
    assert!(token.is_cancelled() && session.is_completed());
    assert!(sessions.get(&session.id()).is_none());
    assert_eq!(
        session.completion_cause(),
        Some(CompletionCause::Terminated)
    );
    assert_eq!(reason(&session).as_deref(), Some(WHY));
}

#[tokio::test]
async fn r23_it_stays_as_long_as_the_session_does() {
    let sessions = manager();
    let plain = sessions.create().unwrap();
    let used = sessions.create().unwrap();
    let log = Log::default();
    used.take_ownership(log.tell("owned")).unwrap();
    let awaited = plain.cleanup_completed();
    for session in [&plain, &used] {
        let request = session.enter().unwrap();
        session.terminate_because(WHY);
        assert_eq!(reason(session).as_deref(), Some(WHY));
        drop(request);
        let report = session.cleanup_completed().await;
        assert_eq!(report.closed(), usize::from(session == &used));
        assert_eq!(reason(session).as_deref(), Some(WHY));
        // The report is there beside it.
        let report = session.cleanup_completed().await;
        assert_eq!(report.closed(), usize::from(session == &used));
    }
    assert!(awaited.await.is_clean());
    assert_eq!(log.count(), 1);
}

#[tokio::test]
async fn r23_it_is_text_of_any_kind() {
    fn is_copy<T: Copy>(_: Option<T>) {}
    let sessions = manager();
    let end = |end: &dyn Fn(&Session)| {
        let session = sessions.create().unwrap();
        end(&session);
        is_copy(session.completion_cause());
        reason(&session)
    };
    let ended = [
        end(&|session| session.terminate_because(WHY)),
        end(&|session| session.terminate_because(WHY.to_owned())),
        end(&|session| session.terminate_because(Cow::Borrowed(WHY))),
    ];
    assert!(ended.iter().all(|reason| reason.as_deref() == Some(WHY)));
}

#[tokio::test(start_paused = true)]
async fn r23_it_is_kept_only_where_given() {
    let sessions = builder()
        .idle_timeout(Duration::from_secs(60))
        .build()
        .unwrap();
    let [terminated, left, out] = std::array::from_fn(|_| sessions.create_in("g".into()).unwrap());
    terminated.terminate();
    left.set_idle_timeout(Duration::ZERO);
    let group = out.group();
    sessions.shutdown(Duration::from_secs(1)).await;
    for session in [terminated, left, out] {
        assert!(session.is_completed());
        assert_eq!(reason(&session), None);
    }
    assert_eq!(
        group.completion_cause(),
        Some(CompletionCause::LastSessionEnded)
    );
    assert_eq!(reason(&group), None);
}

#[tokio::test]
async fn r23_a_group_that_its_last_session_ends_has_no_reason() {
    let sessions = manager();
    let session = sessions.create_in("g".into()).unwrap();
    let group = session.group();
    session.terminate_because(WHY);
    let _ = group.cleanup_completed().await;
    assert_eq!(
        group.completion_cause(),
        Some(CompletionCause::LastSessionEnded)
    );
    assert_eq!(reason(&group), None);
}

#[tokio::test]
async fn r23_the_call_that_completes_is_the_one_whose_reason_counts() {
    let sessions = manager();
    let [first, none] = std::array::from_fn(|_| sessions.create().unwrap());
    first.terminate_because(WHY);
    none.terminate();
    for session in [&first, &none] {
        session.terminate_because("too late");
        session.terminate();
    }
    assert_eq!(reason(&first).as_deref(), Some(WHY));
    assert_eq!(reason(&none), None);
    let _ = none.cleanup_completed().await;
    none.terminate_because("too late");
    assert_eq!(reason(&none), None);
}

#[test]
fn r23_of_racing_calls_one_leaves_its_reason() {
    let runtime = threads();
    let _entered = runtime.enter();
    let sessions = manager();
    for _ in 0..500 {
        let session = sessions.create_in("g".into()).unwrap();
        let seen = Mutex::new(Vec::new());
        let end = |why: &'static str| {
            session.terminate_because(why);
            seen.lock().unwrap().push(reason(&session).unwrap());
        };
        race([&|| end("one"), &|| end("two"), &|| {
            session.group().terminate_because("three");
        }]);
        let seen = seen.into_inner().unwrap();
        assert_eq!(seen[0], seen[1]);
        assert_eq!(reason(&session).as_ref(), Some(&seen[0]));
    }
}

#[tokio::test]
async fn r23_all_sessions_that_a_group_ends_have_its_reason() {
    let sessions = manager();
    let members: Vec<_> = (0..3)
        .map(|_| sessions.create_in("g".into()).unwrap())
        .collect();
    let group = members[0].group();
    members[0].terminate_because("left early");
    let request = members[1].enter().unwrap();
    group.terminate_because(WHY);
    group.terminate_because("too late");
    members[1].terminate_because("too late");
    let reasons: Vec<_> = members.iter().map(reason).collect();
    assert_eq!(
        reasons,
        [Some("left early"), Some(WHY), Some(WHY)].map(|why| why.map(str::to_owned))
    );
    // The group ends when its last session has been cleaned up.
    assert_eq!(reason(&group), None);
    drop(request);
    let _ = group.cleanup_completed().await;
    assert_eq!(group.completion_cause(), Some(CompletionCause::Terminated));
    assert_eq!(reason(&group).as_deref(), Some(WHY));
}

#[tokio::test]
async fn r23_events_show_it() {
    let sessions = manager();
    let mut events = sessions.subscribe();
    let session = sessions.create_in("g".into()).unwrap();
    let group = session.group();
    let silent = sessions.create().unwrap();
    group.terminate_because(WHY);
    silent.terminate();
    let _ = group.cleanup_completed().await;
    let told: Vec<_> = told(&mut events)
        .into_iter()
        .map(|(subject, reason)| (subject.serial(), reason))
        .collect();
    let why = Some(Arc::from(WHY));
    assert!(told.contains(&(session.serial(), why.clone())));
    assert!(told.contains(&(group.serial(), why)));
    assert!(told.contains(&(silent.serial(), None)));
}

/// Keeps the log lines of completions.
struct Completions(Log);

/// The fields of an event.
struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, "{}={value:?} ", field.name()).unwrap();
    }
}

impl<S: Subscriber> Layer<S> for Completions {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut line = Line(String::new());
        event.record(&mut line);
        if line.0.contains("session completed") {
            self.0.add(line.0);
        }
    }
}

#[tokio::test]
async fn r23_the_log_shows_it() {
    let log = Log::default();
    let subscribed = subscribe(Completions(log.clone()));
    let sessions = manager();
    sessions.create().unwrap().terminate_because(WHY);
    sessions.create().unwrap().terminate();
    sessions.create().unwrap().terminate_because("a\nb");
    drop(subscribed);
    let [with, without, lines] = &log.entries()[..] else {
        panic!("{log:?}");
    };
    assert!(with.contains(&format!("reason={WHY:?}")), "{with}");
    assert!(!without.contains("reason"), "{without}");
    // Nobody can make up log lines with it.
    assert!(lines.contains(r#"reason="a\nb""#), "{lines}");
}

#[tokio::test]
async fn r23_a_log_out_can_have_one() {
    let sessions = manager();
    let id = sessions.create().unwrap().id();
    let [mut own, other] = std::array::from_fn(|_| sessions.enter(&id).unwrap());
    drop(own.cycle_id().unwrap());
    let session = own.session();
    let parted = session.log_out_because(other.pass(), "not its session");
    assert_eq!(parted.unwrap_err(), CycleError::Parted);
    assert!(session.log_out_because(own.pass(), WHY).is_ok());
    assert_eq!(reason(session).as_deref(), Some(WHY));
}

#[tokio::test]
async fn r23_an_empty_reason_is_none() {
    let sessions = manager();
    let mut events = sessions.subscribe();
    let session = sessions.create().unwrap();
    session.terminate_because("");
    assert!(session.is_completed());
    assert_eq!(session.completion_reason(), None);
    assert_eq!(only(told(&mut events)).1, None);
}

#[tokio::test]
async fn r23_a_reason_of_a_megabyte_is_there_once_for_a_whole_group() {
    let sessions: SessionManager = manager();
    let members: Vec<_> = (0..100)
        .map(|_| sessions.create_in("g".into()).unwrap())
        .collect();
    let mut events = sessions.subscribe();
    let long = "é".repeat(512 * 1024);
    members[0].group().terminate_because(long.clone());
    let first = members[0].completion_reason().unwrap();
    assert_eq!(*first, *long);
    for session in &members {
        assert!(Arc::ptr_eq(&session.completion_reason().unwrap(), &first));
    }
    let told = told(&mut events);
    assert!(told.len() >= members.len());
    for (_, reason) in told {
        assert!(Arc::ptr_eq(&reason.unwrap(), &first));
    }
}
