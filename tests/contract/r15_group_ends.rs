//! The end of groups: termination, anonymous groups, and the events.

use futures_util::FutureExt as _;
use session_core::{
    CompletionCause, GroupId, JoinError, LifecycleEvent, LocalSession, PropertyKey, Subject,
};

use crate::kit::{Log, Tell, come, manager, only, settle};

const ANY: PropertyKey<Tell> = PropertyKey::new("any");
const MORE: PropertyKey<Tell> = PropertyKey::new("more");

fn id(name: &str) -> GroupId {
    name.into()
}

#[tokio::test(start_paused = true)]
async fn r15_termination_closes_it_ends_its_sessions_and_then_itself() {
    let sessions = manager();
    let one = sessions.create_in(id("g")).unwrap();
    let other = sessions.create_in(id("g")).unwrap();
    let group = one.group();
    let log = Log::default();
    drop(group.properties().insert(&ANY, log.tell("any")));
    let request = one.enter().unwrap();
    let token = group.completion_token();
    group.terminate();

    // Closed to new members, which found another group.
    assert!(sessions.group(&id("g")).is_none());
    let newcomer = sessions.create_in(id("g")).unwrap();
    assert_ne!(newcomer.group(), group);
    let mover = sessions.create().unwrap();
    mover.join(id("g")).unwrap();
    assert_eq!(mover.group(), newcomer.group());
    // Its sessions have ended.
    assert_eq!(one.completion_cause(), Some(CompletionCause::Terminated));
    assert_eq!(other.completion_cause(), Some(CompletionCause::Terminated));
    settle().await;
    assert!(other.cleanup_completed().now_or_never().is_some());
    // It has not, until the last of them has been cleaned up.
    assert!(!group.is_completed() && !token.is_cancelled());
    assert_eq!(group.completion_cause(), None);
    drop(group.properties().insert(&MORE, log.tell("more")).unwrap());
    drop(group.spawn(|_| async {}).unwrap());
    group.terminate();
    assert!(!group.is_completed());

    drop(request);
    let _ = one.cleanup_completed().await;
    assert_eq!(group.completion_cause(), Some(CompletionCause::Terminated));
    assert!(token.is_cancelled());
    let _ = group.cleanup_completed().await;
    assert_eq!(log.entries(), ["more", "any"]);
    assert!(!newcomer.is_completed() && !newcomer.group().is_completed());
    assert_eq!(sessions.group(&id("g")), Some(newcomer.group()));
}

#[tokio::test(start_paused = true)]
async fn r15_a_session_may_leave_a_group_that_is_ending() {
    let sessions = manager();
    let one = sessions.create_in(id("g")).unwrap();
    let group = one.group();
    let request = one.enter().unwrap();
    group.terminate();
    assert_eq!(
        one.join(id("h")),
        Err(JoinError::SessionEnded),
        "it has ended by then"
    );
    drop(request);
    let _ = one.cleanup_completed().await;
    assert!(group.is_completed());
}

#[tokio::test(start_paused = true)]
async fn r15_an_anonymous_group_is_made_when_first_asked_for_and_never_registered() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let other = sessions.create().unwrap();
    let group = session.group();
    assert_eq!(session.group(), group, "and stays");
    assert_ne!(other.group(), group);
    assert_eq!(group.id(), None);
    assert_eq!(only(group.sessions()), session);
    assert!(sessions.groups().is_empty());
    assert_eq!(sessions.stats().groups, 0);

    let log = Log::default();
    drop(group.properties().insert(&ANY, log.tell("any")));
    session.terminate();
    let _ = session.cleanup_completed().await;
    assert_eq!(
        group.completion_cause(),
        Some(CompletionCause::LastSessionEnded)
    );
    let _ = group.cleanup_completed().await;
    assert_eq!(log.entries(), ["any"]);

    // Terminating it ends its session.
    other.group().terminate();
    assert_eq!(other.completion_cause(), Some(CompletionCause::Terminated));
    assert_eq!(
        other.group().completion_cause(),
        Some(CompletionCause::Terminated)
    );
}

#[tokio::test(start_paused = true)]
async fn r15_an_anonymous_group_ends_when_its_session_joins_a_named_one() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let anonymous = session.group();
    let log = Log::default();
    drop(anonymous.properties().insert(&ANY, log.tell("any")));
    let request = session.enter().unwrap();
    session.join(id("user")).unwrap();
    assert_eq!(session.group().id(), Some(&id("user")));
    assert!(anonymous.is_completed());
    settle().await;
    assert_eq!(log.count(), 0, "the request may still use it");
    drop(request);
    let _ = anonymous.cleanup_completed().await;
    assert_eq!(log.entries(), ["any"]);
}

#[tokio::test(start_paused = true)]
async fn r15_an_anonymous_group_asked_for_late_ends_as_it_should() {
    let sessions = manager();
    // During cleanup it exists until the session has left it.
    let session = sessions.create().unwrap();
    let request = session.enter().unwrap();
    session.terminate();
    let group = session.group();
    assert!(!group.is_completed());
    drop(request);
    let _ = session.cleanup_completed().await;
    assert!(group.is_completed());
    assert!(group.cleanup_completed().await.is_clean());

    // After it the group has ended.
    let session = sessions.create().unwrap();
    session.terminate();
    let group = session.group();
    assert!(group.is_completed());
    assert_eq!(session.group(), group);
    assert!(group.cleanup_completed().now_or_never().is_some());
}

#[tokio::test(start_paused = true)]
async fn r15_its_life_is_told_in_order() {
    let sessions = manager();
    let mut events = sessions.subscribe();
    let session = sessions.create_in(id("g")).unwrap();
    let own = session.serial();
    session.terminate();
    let told: Vec<_> = come(&mut events)
        .into_iter()
        .map(|event| {
            let (what, subject) = match event {
                LifecycleEvent::Created(subject) => ("created", subject),
                LifecycleEvent::Completed(subject, ..) => ("completed", subject),
                LifecycleEvent::CleanedUp(subject, _) => ("cleaned up", subject),
                other => unreachable!("{other:?}"),
            };
            let whose = match subject {
                Subject::Session(serial) if serial == own => "session",
                Subject::Group { id: Some(name), .. } if name == id("g") => "group",
                other => unreachable!("{other:?}"),
            };
            format!("{whose} {what}")
        })
        .collect();
    let expected = [
        "group created",
        "session created",
        "session completed",
        "session cleaned up",
        "group completed",
        "group cleaned up",
    ];
    assert_eq!(told, expected);
}
