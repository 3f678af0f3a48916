//! `max_sessions_per_group`: rejection, eviction, and what a refused session keeps.

use std::time::Duration;

use session_core::{
    BuildError, CompletionCause, CreateError, CycleError, GroupId, JoinError, LocalSession,
    NotLive, Session, SessionManager, WhenFull,
};
use tokio::time::advance;

use crate::kit::{builder, come, race, settle, threads};

const MINUTE: Duration = Duration::from_secs(60);

fn bounded(max: usize, when_full: WhenFull) -> SessionManager {
    let builder = builder().max_sessions_per_group(max, when_full);
    builder.build().unwrap()
}

fn user() -> GroupId {
    "user".into()
}

fn is_evicted(session: &Session) -> bool {
    session.completion_cause() == Some(CompletionCause::Evicted)
}

#[tokio::test(start_paused = true)]
async fn r25_it_is_more_than_zero() {
    let zero = builder().max_sessions_per_group(0, WhenFull::EvictIdlest);
    let error = zero.build().unwrap_err();
    assert_eq!(error, BuildError::Zero("max_sessions_per_group"));
    let most = bounded(usize::MAX, WhenFull::Reject);
    most.create_in(user()).unwrap();
}

#[tokio::test(start_paused = true)]
async fn r25_create_in_is_refused_in_a_full_group() {
    let sessions = bounded(2, WhenFull::Reject);
    let one = sessions.create_in(user()).unwrap();
    let _other = sessions.create_in(user()).unwrap();
    for _ in 0..3 {
        assert_eq!(sessions.create_in(user()).unwrap_err(), CreateError::Full);
        let entered = sessions.create_entered(Some(&user()));
        assert_eq!(entered.unwrap_err(), CreateError::Full);
    }
    let stats = sessions.stats();
    assert_eq!((stats.active, stats.created), (2, 2));
    // It bounds each named group by itself, and no anonymous one.
    sessions.create_in("other".into()).unwrap();
    for _ in 0..3 {
        let _own = sessions.create().unwrap().group();
    }
    one.terminate();
    let _third = sessions.create_in(user()).unwrap();
    assert_eq!(sessions.create_in(user()).unwrap_err(), CreateError::Full);
}

#[tokio::test(start_paused = true)]
async fn r25_only_active_sessions_count() {
    let sessions = bounded(1, WhenFull::Reject);
    let one = sessions.create_in(user()).unwrap();
    let group = one.group();
    let request = one.enter().unwrap();
    one.terminate();
    // It is still a member, and in cleanup.
    let two = sessions.create_in(user()).unwrap();
    assert_eq!(group.sessions(), [one.clone(), two.clone()]);
    assert_eq!(sessions.create_in(user()).unwrap_err(), CreateError::Full);
    drop(request);
    let _ = one.cleanup_completed().await;
    assert_eq!(group.sessions(), [two]);
    assert_eq!(sessions.create_in(user()).unwrap_err(), CreateError::Full);
}

#[tokio::test(start_paused = true)]
async fn r25_a_join_that_is_refused_leaves_the_session_where_it_was() {
    let sessions = bounded(1, WhenFull::Reject);
    let member = sessions.create_in(user()).unwrap();
    let session = sessions.create_in("before".into()).unwrap();
    let (id, before) = (session.id(), session.group());
    let mut events = sessions.subscribe();
    assert_eq!(session.join(user()), Err(JoinError::Full));
    let stranger = sessions.create().unwrap();
    assert_eq!(stranger.join(user()), Err(JoinError::Full));
    assert_eq!(come(&mut events).len(), 1, "the stranger's creation alone");
    assert_eq!(session.group(), before);
    assert_eq!(before.sessions(), std::slice::from_ref(&session));
    assert!(!before.is_completed());
    assert_eq!(member.group().sessions(), std::slice::from_ref(&member));
    // To join one's own group changes nothing, even if it is full.
    assert_eq!(member.join(user()), Ok(()));
    // One that leaves makes room.
    member.join("elsewhere".into()).unwrap();
    session.join(user()).unwrap();
    assert_eq!(session.id(), id);
    assert!(before.is_completed());
    session.terminate();
    assert_eq!(session.join(user()), Err(JoinError::SessionEnded));
}

#[tokio::test(start_paused = true)]
async fn r25_a_log_in_that_is_refused_changes_nothing() {
    let sessions = bounded(1, WhenFull::Reject);
    let member = sessions.create_in(user()).unwrap();
    let session = sessions.create_in("before".into()).unwrap();
    let (id, before) = (session.id(), session.group());
    let mut request = sessions.enter(&id).unwrap();
    let other = sessions.enter(&id).unwrap();
    let stream = sessions.enter(&id).unwrap();
    let mut stream = std::pin::pin!(stream.until_completed(std::future::pending::<()>()));
    for _ in 0..2 {
        assert_eq!(request.log_in(user()).unwrap_err(), CycleError::Full);
    }
    assert_eq!((session.id(), session.group()), (id, before.clone()));
    assert!(!request.is_parted() && !other.is_parted());
    assert!(futures_util::poll!(&mut stream).is_pending());
    assert!(sessions.enter(&id).is_ok());
    member.terminate();
    let new = request.log_in(user()).unwrap();
    assert_eq!(sessions.enter(&id).unwrap_err(), NotLive::Superseded);
    assert_eq!(session.id(), new.id());
    assert_eq!(session.group().id(), Some(&user()));
    assert!(other.is_parted());
    assert!(stream.await.is_err());
    // In its own group it changes the id, however full that is.
    drop(request.log_in(user()).unwrap());
}

#[tokio::test(start_paused = true)]
async fn r25_eviction_ends_the_longest_idle_of_the_group() {
    let sessions = bounded(3, WhenFull::EvictIdlest);
    let elsewhere = sessions.create_in("other".into()).unwrap();
    let stranger = sessions.create().unwrap();
    let mut group = Vec::new();
    for _ in 0..3 {
        advance(MINUTE).await;
        group.push(sessions.create_in(user()).unwrap());
    }
    advance(MINUTE).await;
    // The one that joined first is not the longest idle, and one with activity is not idle.
    drop(group[0].enter().unwrap());
    let _request = group[1].enter().unwrap();
    group.push(sessions.create_in(user()).unwrap());
    let evicted: Vec<_> = group.iter().map(is_evicted).collect();
    assert_eq!(evicted, [false, false, true, false]);
    advance(MINUTE).await;
    let joining = sessions.create().unwrap();
    joining.join(user()).unwrap();
    assert!(is_evicted(&group[0]));
    advance(MINUTE).await;
    let mut request = sessions.create_entered(None).unwrap();
    drop(request.log_in(user()).unwrap());
    settle().await;
    assert!(is_evicted(&group[3]));
    assert!(!group[1].is_completed() && !joining.is_completed());
    assert!(!elsewhere.is_completed() && !stranger.is_completed());
    assert_eq!(sessions.stats().active, 5);
}

#[tokio::test(start_paused = true)]
async fn r25_if_none_is_idle_the_one_that_joined_first_ends() {
    let sessions = bounded(3, WhenFull::EvictIdlest);
    let oldest = sessions.create().unwrap();
    let first = sessions.create_in(user()).unwrap();
    let second = sessions.create_in(user()).unwrap();
    oldest.join(user()).unwrap();
    let _streams = [&first, &second, &oldest].map(|session| session.enter().unwrap());
    // The newest log-in wins.
    let third = sessions.create_entered(Some(&user())).unwrap();
    assert!(is_evicted(&first));
    let fourth = sessions.create_entered(Some(&user())).unwrap();
    assert!(is_evicted(&second));
    let fifth = sessions.create_entered(Some(&user())).unwrap();
    assert!(is_evicted(&oldest), "it joined after the others");
    let active = [third, fourth, fifth].map(|request| request.session().is_completed());
    assert_eq!(active, [false; 3]);
}

#[tokio::test(start_paused = true)]
async fn r25_a_session_that_makes_room_in_its_group_makes_room_in_the_manager() {
    for when_full in [WhenFull::Reject, WhenFull::EvictIdlest] {
        let sessions = builder()
            .max_sessions(2, when_full)
            .max_sessions_per_group(1, WhenFull::EvictIdlest)
            .build()
            .unwrap();
        let bystander = sessions.create().unwrap();
        let member = sessions.create_in(user()).unwrap();
        sessions.create_in(user()).unwrap();
        assert!(is_evicted(&member));
        assert!(!bystander.is_completed());
    }
    // Nobody is ended for a session that is not created.
    let sessions = bounded(1, WhenFull::EvictIdlest);
    let member = sessions.create_in(user()).unwrap();
    sessions.drain();
    assert_eq!(
        sessions.create_in(user()).unwrap_err(),
        CreateError::Draining
    );
    assert!(!member.is_completed());
    let sessions = builder()
        .max_sessions(1, WhenFull::EvictIdlest)
        .max_sessions_per_group(1, WhenFull::Reject)
        .build()
        .unwrap();
    let member = sessions.create_in(user()).unwrap();
    assert_eq!(sessions.create_in(user()).unwrap_err(), CreateError::Full);
    assert!(!member.is_completed());
}

#[tokio::test(start_paused = true)]
async fn r25_a_group_that_is_terminated_has_room_in_its_successor() {
    let sessions = bounded(1, WhenFull::Reject);
    let member = sessions.create_in(user()).unwrap();
    let request = member.enter().unwrap();
    member.group().terminate();
    let next = sessions.create_in(user()).unwrap();
    assert_ne!(next.group(), member.group());
    drop(request);
    let _ = member.cleanup_completed().await;
    assert_eq!(sessions.create_in(user()).unwrap_err(), CreateError::Full);
}

#[test]
fn r25_the_bound_holds_under_races() {
    let runtime = threads();
    let _entered = runtime.enter();
    for when_full in [WhenFull::Reject, WhenFull::EvictIdlest] {
        let sessions = bounded(3, when_full);
        let keeper = sessions.create_in(user()).unwrap();
        let group = keeper.group();
        let kept = keeper.keep_alive();
        let active = || {
            let members = group.sessions();
            members.iter().filter(|one| !one.is_completed()).count()
        };
        let flood = || {
            for round in 0..500 {
                let session = sessions.create().unwrap();
                let joined = session.join(user());
                match when_full {
                    WhenFull::Reject => {
                        assert!(matches!(joined, Ok(()) | Err(JoinError::Full)));
                        session.terminate();
                    }
                    _ => assert_eq!(joined, Ok(())),
                }
                if round % 16 == 0 {
                    let _ = sessions.create_in(user());
                }
                assert!(when_full == WhenFull::Reject || active() <= 3);
            }
        };
        race([&flood; 4]);
        drop(kept);
        assert!(active() <= 3);
        let listed = sessions.sessions().len();
        assert_eq!(sessions.stats().active, listed);
    }
}

/// Two users change places again and again, in full groups.
#[test]
fn r25_sessions_that_change_groups_crosswise_do_not_wait_for_each_other() {
    let runtime = threads();
    let _entered = runtime.enter();
    for when_full in [WhenFull::Reject, WhenFull::EvictIdlest] {
        let sessions = bounded(1, when_full);
        for _ in 0..500 {
            let here = sessions.create_in("here".into());
            let there = sessions.create_in("there".into());
            let (Ok(here), Ok(there)) = (here, there) else {
                panic!("there is room");
            };
            race([&|| _ = here.join("there".into()), &|| {
                _ = there.join("here".into());
            }]);
            here.terminate();
            there.terminate();
        }
        assert_eq!(sessions.stats().active, 0);
    }
}
