//! Groups that linger after their last session.

use std::time::Duration;

use session_core::{
    CompletionCause, GroupId, LocalSession, PropertyKey, SessionGroup, SessionManager, WhenFull,
};
use tokio::time::advance;

use crate::kit::{Log, Tell, builder, come, only, problems, race, settle, threads};

const LINGER: Duration = Duration::from_secs(60);
const TICK: Duration = Duration::from_millis(16);
const NEARLY: Duration = LINGER.saturating_sub(TICK);
const ANY: PropertyKey<Tell> = PropertyKey::new("any");

fn id(name: &str) -> GroupId {
    name.into()
}

fn manager() -> SessionManager {
    builder().group_linger(LINGER).build().unwrap()
}

/// A group whose last session has just left.
fn lingering(sessions: &SessionManager, name: &str) -> SessionGroup {
    let session = sessions.create_in(id(name)).unwrap();
    let group = session.group();
    session.terminate();
    group
}

/// Lets time pass, and lets the sweeper run.
async fn pass(time: Duration) {
    settle().await;
    advance(time).await;
    settle().await;
}

#[tokio::test(start_paused = true)]
async fn r25_a_named_group_outlives_its_last_session_by_this_long() {
    let sessions = manager();
    let mut events = sessions.subscribe();
    let session = sessions.create_in(id("g")).unwrap();
    let group = session.group();
    let log = Log::default();
    drop(group.properties().insert(&ANY, log.tell("any")).unwrap());
    session.terminate();
    let _ = session.cleanup_completed().await;
    pass(NEARLY).await;
    // It is active, with its properties, and takes new ones.
    assert!(!group.is_completed() && group.sessions().is_empty());
    assert_eq!(sessions.group(&id("g")), Some(group.clone()));
    assert_eq!(only(sessions.groups()), group);
    assert_eq!(sessions.stats().groups, 1);
    assert!(group.properties().get(&ANY).is_some());
    let _owned = group.take_ownership(log.tell("owned")).unwrap();
    come(&mut events);
    pass(3 * TICK).await;
    assert_eq!(
        group.completion_cause(),
        Some(CompletionCause::LastSessionEnded)
    );
    assert!(group.cleanup_completed().await.is_clean());
    assert_eq!(log.entries(), ["owned", "any"]);
    assert_eq!(sessions.group(&id("g")), None);
    assert_eq!(come(&mut events).len(), 2, "completed and cleaned up");
}

#[tokio::test(start_paused = true)]
async fn r25_a_session_that_comes_meanwhile_is_its_next_member() {
    let sessions = manager();
    let group = lingering(&sessions, "g");
    for _ in 0..3 {
        // By its creation, by a join, and by a log-in.
        pass(LINGER / 2).await;
        let created = sessions.create_in(id("g")).unwrap();
        assert_eq!(created.group(), group);
        // It no longer lingers, however long the session lives.
        pass(LINGER * 2).await;
        assert!(!group.is_completed());
        assert_eq!(only(group.sessions()), created);
        created.terminate();
        pass(LINGER / 2).await;
        let joined = sessions.create().unwrap();
        joined.join(id("g")).unwrap();
        assert_eq!(joined.group(), group);
        joined.join(id("h")).unwrap();
        pass(LINGER / 2).await;
        let mut request = joined.enter().unwrap();
        drop(request.log_in(id("g")).unwrap());
        assert_eq!(joined.group(), group);
        drop(request);
        joined.terminate();
    }
    // The time of its last stay counts alone.
    pass(NEARLY).await;
    assert!(!group.is_completed());
    pass(3 * TICK).await;
    assert!(group.is_completed());
    assert_ne!(sessions.create_in(id("g")).unwrap().group(), group);
}

#[tokio::test(start_paused = true)]
async fn r25_it_lingers_from_when_its_last_session_has_been_cleaned_up() {
    let sessions = manager();
    let session = sessions.create_in(id("g")).unwrap();
    let group = session.group();
    let request = session.enter().unwrap();
    session.terminate();
    pass(Duration::from_secs(20)).await;
    drop(request);
    let _ = session.cleanup_completed().await;
    pass(NEARLY).await;
    assert!(!group.is_completed());
    pass(3 * TICK).await;
    assert!(group.is_completed());
}

#[tokio::test(start_paused = true)]
async fn r25_zero_turns_it_off_and_the_longest_time_never_comes() {
    for off in [builder(), builder().group_linger(Duration::ZERO)] {
        let sessions = off.build().unwrap();
        assert!(lingering(&sessions, "g").is_completed());
    }
    let sessions = builder().group_linger(Duration::MAX).build().unwrap();
    let group = lingering(&sessions, "g");
    pass(Duration::from_secs(365 * 24 * 3600)).await;
    assert!(!group.is_completed());
    assert_eq!(sessions.create_in(id("g")).unwrap().group(), group);
    assert!(sessions.shutdown(LINGER).await.is_clean());
    assert!(group.is_completed());
    // The shortest is no less than it says.
    let sessions = builder()
        .group_linger(Duration::from_nanos(1))
        .build()
        .unwrap();
    let group = lingering(&sessions, "g");
    assert!(!group.is_completed());
    pass(3 * TICK).await;
    assert!(group.is_completed());
}

#[tokio::test(start_paused = true)]
async fn r25_an_anonymous_group_does_not_linger() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let group = session.group();
    session.join(id("g")).unwrap();
    assert!(group.is_completed());
    let other = sessions.create().unwrap();
    let group = other.group();
    other.terminate();
    assert!(group.is_completed());
}

#[tokio::test(start_paused = true)]
async fn r25_at_most_max_sessions_linger_and_the_longest_ends_first() {
    let sessions = builder()
        .group_linger(LINGER)
        .max_sessions(3, WhenFull::Reject)
        .build()
        .unwrap();
    let groups: Vec<_> = ["a", "b", "c"]
        .iter()
        .map(|name| lingering(&sessions, name))
        .collect();
    assert!(!groups.iter().any(SessionGroup::is_completed));
    // One that was joined meanwhile has not lingered longest.
    let again = lingering(&sessions, "a");
    assert_eq!(again, groups[0]);
    let fourth = lingering(&sessions, "d");
    assert!(groups[1].is_completed());
    assert!(!groups[0].is_completed() && !groups[2].is_completed());
    // By a join that leaves a group, too.
    let moving = sessions.create_in(id("e")).unwrap();
    moving.join(id("f")).unwrap();
    assert!(groups[2].is_completed());
    assert_eq!(
        groups[2].completion_cause(),
        Some(CompletionCause::LastSessionEnded)
    );
    assert!(!groups[0].is_completed() && !fourth.is_completed());
    assert_eq!(sessions.stats().groups, 4, "three linger, and one does not");
    // A stranger that names groups leaves no more behind.
    for name in 0..1_000 {
        lingering(&sessions, &name.to_string());
    }
    assert_eq!(sessions.stats().groups, 4);
}

#[tokio::test(start_paused = true)]
async fn r25_terminate_ends_it_at_once() {
    let sessions = manager();
    let group = lingering(&sessions, "g");
    group.terminate();
    assert_eq!(group.completion_cause(), Some(CompletionCause::Terminated));
    assert_eq!(sessions.group(&id("g")), None);
    let next = lingering(&sessions, "g");
    assert_ne!(next, group);
    pass(NEARLY).await;
    assert!(!next.is_completed());
    // Terminated while it has sessions, it does not begin to linger.
    let session = sessions.create_in(id("g")).unwrap();
    next.terminate();
    assert!(session.is_completed() && next.is_completed());
    assert_eq!(sessions.stats().groups, 0);
}

#[tokio::test(start_paused = true)]
async fn r25_a_shutdown_ends_it_at_once() {
    let sessions = manager();
    let log = Log::default();
    let group = lingering(&sessions, "g");
    let value = log.tell("of one that lingers");
    drop(group.properties().insert(&ANY, value).unwrap());
    // A group whose last session ends by the shutdown does not begin to.
    let session = sessions.create_in(id("h")).unwrap();
    let other = session.group();
    let request = session.enter().unwrap();
    let leaves = tokio::spawn(async move {
        request.session().completion_token().cancelled().await;
        drop(request);
    });
    let report = sessions.shutdown(LINGER).await;
    assert!(report.is_clean(), "{report:?}");
    leaves.await.unwrap();
    for group in [&group, &other] {
        let cause = group.completion_cause();
        assert_eq!(cause, Some(CompletionCause::LastSessionEnded));
    }
    assert_eq!(log.entries(), ["of one that lingers"]);
    assert_eq!(sessions.stats().groups, 0);
}

#[tokio::test(start_paused = true)]
async fn r25_what_a_lingering_group_leaves_over_is_in_the_shutdowns_report() {
    let sessions = manager();
    let group = lingering(&sessions, "g");
    let log = Log::default();
    let held = group.properties().insert(&ANY, log.tell("any")).unwrap();
    let report = sessions.shutdown(Duration::from_secs(1)).await;
    let (subject, problem) = only(report.problems().to_vec());
    assert_eq!(subject.serial(), group.serial());
    assert_eq!(only(problems(&problem)), "any: still held");
    drop(held);
}

#[tokio::test(start_paused = true)]
async fn r25_dropping_the_manager_ends_it_at_once() {
    let sessions = manager();
    let log = Log::default();
    let group = lingering(&sessions, "g");
    drop(group.properties().insert(&ANY, log.tell("any")).unwrap());
    let session = sessions.create_in(id("h")).unwrap();
    let other = session.group();
    drop(sessions);
    assert!(group.is_completed() && other.is_completed());
    let _ = group.cleanup_completed().await;
    assert_eq!(log.entries(), ["any"]);
}

#[test]
fn r25_a_group_that_is_joined_and_left_all_the_time_is_one() {
    let runtime = threads();
    let _entered = runtime.enter();
    let sessions = manager();
    let first = lingering(&sessions, "g");
    let come_and_go = || {
        for _ in 0..500 {
            assert_eq!(lingering(&sessions, "g"), first);
        }
    };
    race([&come_and_go; 4]);
    assert!(!first.is_completed() && first.sessions().is_empty());
    assert_eq!(only(sessions.groups()), first);
}
