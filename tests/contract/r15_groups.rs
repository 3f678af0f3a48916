//! Groups: membership, and their end.

use std::time::Duration;

use futures_util::FutureExt as _;
use session_core::{
    CompletionCause, GroupId, InitContext, JoinError, LocalSession, Property, PropertyKey,
    SessionGroup, SessionManager, SessionProperties,
};

use crate::kit::{Log, Tell, Watch, builder, come, manager, only, problems, settle};

const ANY: PropertyKey<Tell> = PropertyKey::new("any");

fn id(name: &str) -> GroupId {
    name.into()
}

fn group(sessions: &SessionManager, name: &str) -> SessionGroup {
    sessions.group(&id(name)).unwrap()
}

#[derive(SessionProperties)]
#[session(scope = group)]
struct Shared {
    #[property(init = |cx: &InitContext<(), SessionGroup>| cx.group().sessions().len())]
    members: Property<usize>,
}

#[tokio::test(start_paused = true)]
async fn r15_a_group_has_all_that_a_session_has() {
    let sessions = manager();
    let one = sessions.create_in(id("g")).unwrap();
    let other = sessions.create_in(id("g")).unwrap();
    let group = one.group();
    assert_eq!(other.group(), group);
    let log = Log::default();

    // Properties and sets, the same for both members.
    drop(group.properties().insert(&ANY, log.tell("any")).unwrap());
    assert!(other.group().properties().get(&ANY).is_some());
    assert!(
        one.properties().get(&ANY).is_none(),
        "not the session's own"
    );
    let set = group.props::<Shared>().unwrap();
    assert_eq!(**set.members().unwrap(), 2);
    assert_eq!(
        other
            .group()
            .props::<Shared>()
            .unwrap()
            .members
            .get()
            .map(|n| **n),
        Some(2)
    );
    drop(set);
    // Owned values, tasks, the token and the cause, cleanup and its report.
    let _owned = group.take_ownership(log.tell("owned")).unwrap();
    let telling = log.clone();
    let task = group
        .spawn(|token| async move {
            token.cancelled().await;
            telling.add("told");
        })
        .unwrap();
    let token = group.completion_token();
    let cleanup = group.cleanup_completed();
    one.terminate();
    settle().await;
    assert!(!token.is_cancelled() && !group.is_completed());
    other.terminate();
    assert!(token.is_cancelled());
    assert_eq!(
        group.completion_cause(),
        Some(CompletionCause::LastSessionEnded)
    );
    task.await.unwrap();
    let report = cleanup.await;
    assert_eq!((report.closed(), report.is_clean()), (2, true));
    let mut entries = log.entries();
    assert_eq!(entries.pop().unwrap(), "any");
    entries.sort_unstable();
    assert_eq!(entries, ["owned", "told"]);
}

#[tokio::test(start_paused = true)]
async fn r15_a_group_has_no_timeouts_of_its_own() {
    let sessions = builder()
        .idle_timeout(Duration::from_secs(60))
        .absolute_timeout(Duration::from_secs(600))
        .build()
        .unwrap();
    let mut last = sessions.create_in(id("g")).unwrap();
    let group = last.group();
    // It is not used, and its members come and go, for far longer than any of them may live.
    for _ in 0..100 {
        tokio::time::sleep(Duration::from_secs(30)).await;
        last = sessions.create_in(id("g")).unwrap();
        assert_eq!(last.group(), group);
    }
    assert!(!group.is_completed());
    let _ = last.cleanup_completed().await;
    assert_eq!(last.completion_cause(), Some(CompletionCause::IdleTimeout));
    assert!(group.is_completed());
}

#[tokio::test(start_paused = true)]
async fn r15_it_is_born_with_its_first_session_and_known_until_it_ends() {
    let sessions = manager();
    assert!(sessions.group(&id("g")).is_none());
    let one = sessions.create_in(id("g")).unwrap();
    let first = group(&sessions, "g");
    assert_eq!(first.id(), Some(&id("g")));
    assert_eq!(only(first.sessions()), one);
    assert_eq!(only(sessions.groups()), first);
    assert_eq!(sessions.stats().groups, 1);
    one.terminate();
    assert!(sessions.group(&id("g")).is_none());
    assert!(sessions.groups().is_empty());
    let two = sessions.create_in(id("g")).unwrap();
    assert_ne!(two.group(), first, "another life of the same name");
    assert!(!two.group().is_completed());
}

#[tokio::test(start_paused = true)]
async fn r15_it_ends_only_after_its_last_session_has_been_cleaned_up() {
    let sessions = manager();
    let session = sessions.create_in(id("g")).unwrap();
    let group = session.group();
    let log = Log::default();
    drop(group.properties().insert(&ANY, log.tell("of the group")));
    let own = group.clone();
    let hook = async move |_: Tell| {
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert!(!own.is_completed());
        assert_eq!(own.sessions().len(), 1);
        let elder = own.properties().get(&ANY).unwrap();
        elder.log.add("the session's hook still uses it");
    };
    let value = log.tell("of the session");
    drop(session.properties().insert_with(&ANY, value, hook));
    session.terminate();
    settle().await;
    assert!(!group.is_completed());
    let newcomer = sessions.create_in(id("g")).unwrap();
    assert_eq!(newcomer.group(), group, "it is not closed yet");
    newcomer.terminate();
    assert!(!group.is_completed(), "the other is still in cleanup");
    let report = session.cleanup_completed().await;
    assert!(report.is_clean(), "{report:?}");
    assert!(group.is_completed());
    assert!(group.sessions().is_empty());
    let _ = group.cleanup_completed().await;
    let order = [
        "the session's hook still uses it",
        "of the session",
        "of the group",
    ];
    assert_eq!(log.entries(), order);
}

#[tokio::test(start_paused = true)]
async fn r15_join_moves_a_live_session_and_leaves_properties_behind() {
    let sessions = manager();
    let session = sessions.create_in(id("old")).unwrap();
    let stays = sessions.create_in(id("old")).unwrap();
    let old = session.group();
    let log = Log::default();
    drop(old.properties().insert(&ANY, log.tell("of the old")));
    drop(session.properties().insert(&ANY, log.tell("its own")));

    session.join(id("new")).unwrap();
    let new = session.group();
    assert_eq!(new, group(&sessions, "new"));
    assert_eq!(only(new.sessions()), session);
    assert_eq!(only(old.sessions()), stays);
    assert!(!session.is_completed() && !old.is_completed());
    assert_eq!(sessions.get(&session.id()), Some(session.clone()));
    assert!(new.properties().get(&ANY).is_none());
    assert_eq!(old.properties().get(&ANY).unwrap().name, "of the old");
    assert_eq!(session.properties().get(&ANY).unwrap().name, "its own");

    // The last member to leave ends it, at once.
    stays.join(id("new")).unwrap();
    assert_eq!(
        old.completion_cause(),
        Some(CompletionCause::LastSessionEnded)
    );
    assert!(sessions.group(&id("old")).is_none());
    assert_eq!(new.sessions().len(), 2);
    let _ = old.cleanup_completed().await;
    assert_eq!(log.entries(), ["of the old"]);
    session.terminate();
    stays.terminate();
    assert_eq!(session.join(id("new")), Err(JoinError::SessionEnded));
}

#[tokio::test(start_paused = true)]
async fn r15_to_join_ones_own_group_changes_nothing() {
    let sessions = manager();
    let session = sessions.create_in(id("g")).unwrap();
    let group = session.group();
    let log = Log::default();
    drop(group.properties().insert(&ANY, log.tell("any")));
    let mut events = sessions.subscribe();
    let _request = session.enter().unwrap();
    session.join(id("g")).unwrap();
    settle().await;
    assert_eq!(session.group(), group);
    assert_eq!(only(group.sessions()), session);
    assert!(!group.is_completed());
    assert_eq!(log.count(), 0);
    assert!(come(&mut events).is_empty());
}

#[tokio::test(start_paused = true)]
async fn r15_the_old_groups_drain_waits_for_the_requests_that_were_inside_then() {
    for last in ["before", "between"] {
        let sessions = manager();
        let session = sessions.create_in(id("first")).unwrap();
        let log = Log::default();
        let first = session.group();
        drop(first.properties().insert(&ANY, log.tell("of the first")));
        let before = [session.enter().unwrap(), session.enter().unwrap()];
        session.join(id("second")).unwrap();
        let second = session.group();
        drop(second.properties().insert(&ANY, log.tell("of the second")));
        let between = session.enter().unwrap();
        session.join(id("third")).unwrap();
        let _after = session.enter().unwrap();
        assert!(first.is_completed() && second.is_completed());

        // The first waits for the two that came before, the second for all three, and neither for the last.
        let [one, other] = before;
        drop(one);
        if last == "before" {
            drop(between);
            settle().await;
            assert_eq!(log.count(), 0);
            drop(other);
        } else {
            settle().await;
            assert_eq!(log.count(), 0);
            drop(other);
            settle().await;
            assert_eq!(log.entries(), ["of the first"]);
            drop(between);
        }
        settle().await;
        assert_eq!(log.count(), 2);
        assert!(first.cleanup_completed().await.is_clean());
        assert!(second.cleanup_completed().await.is_clean());
    }
}

#[tokio::test(start_paused = true)]
async fn r15_that_drain_has_its_timeout_too() {
    let sessions = builder()
        .drain_timeout(Duration::from_secs(5))
        .build()
        .unwrap();
    let session = sessions.create_in(id("old")).unwrap();
    let old = session.group();
    let _stays = session.enter().unwrap();
    let watch = Watch::start();
    session.join(id("new")).unwrap();
    let report = old.cleanup_completed().await;
    assert_eq!(problems(&report), ["request: still held"]);
    assert!((5_000..=6_000).contains(&watch.millis()));
    assert!(!session.is_completed());
}

#[tokio::test(start_paused = true)]
async fn r15_requests_of_a_session_that_ended_elsewhere_are_waited_for_by_the_old_group() {
    let sessions = manager();
    let session = sessions.create_in(id("old")).unwrap();
    let old = session.group();
    let request = session.enter().unwrap();
    session.join(id("new")).unwrap();
    session.terminate();
    settle().await;
    assert!(old.cleanup_completed().now_or_never().is_none());
    drop(request);
    assert!(old.cleanup_completed().await.is_clean());
    assert!(session.cleanup_completed().await.is_clean());
}
