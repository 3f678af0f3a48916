//! Superseded ids: an id that was taken from its client a moment ago is neither live nor unknown.

use std::time::Duration;

use session_core::{LocalSession, NotLive, Session, SessionId, SessionManager, WhenFull};
use tokio::time::advance;

use crate::kit::{builder, manager, settle};

const FOR: Duration = Duration::from_secs(30);
const TICK: Duration = Duration::from_millis(16);

fn refused(sessions: &SessionManager, id: SessionId) -> NotLive {
    assert!(sessions.get(&id).is_none());
    sessions.enter(&id).unwrap_err()
}

/// Lets time pass, and lets the sweeper run.
async fn pass(time: Duration) {
    settle().await;
    advance(time).await;
    settle().await;
}

/// Whether the id is superseded from now on for as long as it should be, and no longer.
async fn assert_superseded_from_now(sessions: &SessionManager, id: SessionId, time: Duration) {
    pass(time.saturating_sub(TICK)).await;
    assert_eq!(refused(sessions, id), NotLive::Superseded);
    pass(3 * TICK).await;
    assert_eq!(refused(sessions, id), NotLive::Unknown);
}

#[tokio::test(start_paused = true)]
async fn r21_a_look_up_tells_live_superseded_and_unknown_apart() {
    let sessions = manager();
    let made_up: SessionId = "AAAAAAAAAAAAAAAAAAAAAA".parse().unwrap();
    assert_eq!(refused(&sessions, made_up), NotLive::Unknown);
    let session = sessions.create().unwrap();
    let old = session.id();
    assert_eq!(sessions.enter(&old).unwrap().session(), &session);
    drop(session.cycle_id().unwrap());
    assert_eq!(refused(&sessions, old), NotLive::Superseded);
    assert_eq!(sessions.stats().active, 1);
    assert_eq!(sessions.sessions(), [session]);
}

#[tokio::test(start_paused = true)]
async fn r21_it_is_superseded_for_30_seconds_after_the_client_was_told() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let old = session.id();
    let new = session.cycle_id().unwrap();
    // However long the response takes.
    pass(10 * FOR).await;
    assert_eq!(refused(&sessions, old), NotLive::Superseded);
    drop(new);
    assert_superseded_from_now(&sessions, old, FOR).await;
}

#[tokio::test(start_paused = true)]
async fn r21_the_time_is_the_applications() {
    let longer = FOR * 7;
    let sessions = builder().superseded_for(longer).build().unwrap();
    let session = sessions.create().unwrap();
    let old = session.id();
    drop(session.cycle_id().unwrap());
    assert_superseded_from_now(&sessions, old, longer).await;
}

#[tokio::test(start_paused = true)]
async fn r21_zero_turns_it_off() {
    let sessions = builder().superseded_for(Duration::ZERO).build().unwrap();
    let session = sessions.create().unwrap();
    let old = session.id();
    let new = session.cycle_id().unwrap();
    assert_eq!(refused(&sessions, old), NotLive::Unknown);
    new.into_superseded().forget();
    let id = session.id();
    let _ended = session.terminate_and_supersede().unwrap();
    assert_eq!(refused(&sessions, id), NotLive::Unknown);
}

#[tokio::test(start_paused = true)]
async fn r21_an_id_whose_client_is_never_told_is_unknown_at_once() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let old = session.id();
    session.cycle_id().unwrap().into_superseded().forget();
    assert_eq!(refused(&sessions, old), NotLive::Unknown);
    let id = session.id();
    session.terminate_and_supersede().unwrap().forget();
    assert_eq!(refused(&sessions, id), NotLive::Unknown);
}

#[tokio::test(start_paused = true)]
async fn r21_a_log_out_supersedes_and_every_other_end_makes_a_stranger() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    drop(session.terminate_and_supersede().expect("it was active"));
    assert!(session.is_completed());
    assert_eq!(refused(&sessions, session.id()), NotLive::Superseded);
    assert!(session.terminate_and_supersede().is_none(), "it has ended");

    let ends: [fn(&SessionManager, &Session); 3] = [
        |_, session| session.terminate(),
        |_, session| session.group().terminate(),
        |sessions, _| drop(sessions.create().unwrap()),
    ];
    for end in ends {
        let sessions = builder()
            .max_sessions(1, WhenFull::EvictIdlest)
            .build()
            .unwrap();
        let session = sessions.create().unwrap();
        end(&sessions, &session);
        assert!(session.is_completed());
        assert!(
            session.terminate_and_supersede().is_none(),
            "another has ended it"
        );
        assert_eq!(refused(&sessions, session.id()), NotLive::Unknown);
    }
    let session = sessions.create().unwrap();
    pass(Duration::from_secs(20 * 60 + 2)).await;
    assert!(session.is_completed());
    assert_eq!(refused(&sessions, session.id()), NotLive::Unknown);
}

#[tokio::test(start_paused = true)]
async fn r21_at_the_bound_the_oldest_become_unknown() {
    let sessions = builder().max_sessions(3, WhenFull::Reject).build().unwrap();
    let session = sessions.create().unwrap();
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(session.id());
        drop(session.cycle_id().unwrap());
    }
    for id in &ids[..2] {
        assert_eq!(refused(&sessions, *id), NotLive::Unknown);
    }
    for id in &ids[2..] {
        assert_eq!(refused(&sessions, *id), NotLive::Superseded);
    }
    // Ids whose clients have not been told are kept before the others, and at most as many as the bound.
    let pending: Vec<_> = (0..4)
        .map(|_| (session.id(), session.cycle_id().unwrap()))
        .collect();
    for id in ids {
        assert_eq!(refused(&sessions, id), NotLive::Unknown);
    }
    for (id, _) in &pending[..3] {
        assert_eq!(refused(&sessions, *id), NotLive::Superseded);
    }
    assert_eq!(refused(&sessions, pending[3].0), NotLive::Unknown);
}

#[tokio::test(start_paused = true)]
async fn r21_a_superseded_session_ends_and_is_freed_like_any_other() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let weak = session.downgrade();
    let _superseded = session.terminate_and_supersede();
    assert!(session.cleanup_completed().await.is_clean());
    drop(session);
    assert!(weak.upgrade().is_none());
    assert_eq!(sessions.stats().active, 0);
    let report = sessions.shutdown(FOR).await;
    assert!(report.is_clean());
}
