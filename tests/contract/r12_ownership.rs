//! Values given to a session until completion.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::FutureExt as _;
use session_core::{LocalSession, Owned, PropertyKey, Refused, Session};

use crate::kit::{Log, Slow, Tell, manager, race, settle, threads};

#[tokio::test(start_paused = true)]
async fn r12_any_value_that_can_be_sent_is_kept_until_completion() {
    // Not `Sync`, not `Clone`, not even named.
    fn give<T: Send + 'static>(session: &Session, value: T) -> Owned<T> {
        session.take_ownership(value).unwrap()
    }
    let sessions = manager();
    let session = sessions.create().unwrap();
    let log = Log::default();
    let tell = log.tell("the closure");
    let _owned = (
        give(&session, Cell::new(1)),
        give(&session, move || tell),
        give(&session, log.tell("the value")),
        give(&session, Box::new(log.tell("boxed")) as Box<dyn Send>),
    );
    settle().await;
    assert_eq!(log.count(), 0);
    session.terminate();
    let report = session.cleanup_completed().await;
    assert_eq!(log.entries(), ["boxed", "the value", "the closure"]);
    assert!(report.is_clean());
    assert_eq!(report.closed(), 4);
}

#[tokio::test]
async fn r12_dispose_drops_the_value_now_and_forgets_it() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let log = Log::default();
    let first = session.take_ownership(log.tell("first")).unwrap();
    let second = session.take_ownership(log.tell("second")).unwrap();
    let third = session.take_ownership(log.tell("third")).unwrap();
    assert!(second.dispose());
    assert_eq!(log.entries(), ["second"]);
    assert!(!second.dispose(), "it is gone");
    assert!(second.reclaim().is_none());
    session.terminate();
    let report = session.cleanup_completed().await;
    assert_eq!(log.entries(), ["second", "third", "first"]);
    assert_eq!(report.closed(), 2);
    assert!(!first.dispose() && !third.dispose());
}

#[tokio::test]
async fn r12_reclaim_returns_it_undropped() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let log = Log::default();
    let owned = session.take_ownership(log.tell("back")).unwrap();
    let value: Tell = owned.reclaim().unwrap();
    assert_eq!((value.name, log.count()), ("back", 0));
    assert!(owned.reclaim().is_none());
    assert!(!owned.dispose());
    session.terminate();
    let report = session.cleanup_completed().await;
    assert_eq!((report.closed(), log.count()), (0, 0));
    drop(value);
    assert_eq!(log.entries(), ["back"]);
}

#[tokio::test]
async fn r12_dropping_the_handle_changes_nothing() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let log = Log::default();
    drop(session.take_ownership(log.tell("owned")).unwrap());
    settle().await;
    assert_eq!(log.count(), 0);
    session.terminate();
    assert_eq!(session.cleanup_completed().await.closed(), 1);
    assert_eq!(log.entries(), ["owned"]);
}

#[tokio::test]
async fn r12_after_completion_the_handle_does_nothing() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    let log = Log::default();
    let owned = session.take_ownership(log.tell("owned")).unwrap();
    let weak = session.downgrade();
    session.terminate();
    // Cleanup has not begun to run: completion alone has won.
    assert!(owned.reclaim().is_none());
    assert!(!owned.dispose());
    assert_eq!(log.count(), 0);
    let _ = session.cleanup_completed().await;
    assert_eq!(log.entries(), ["owned"]);
    drop(session);
    assert!(weak.upgrade().is_none(), "the handle keeps no session");
    assert!(owned.reclaim().is_none());
    assert!(!owned.dispose());
}

#[tokio::test]
async fn r12_on_a_completed_session_the_value_comes_back() {
    let sessions = manager();
    let session = sessions.create().unwrap();
    session.terminate();
    let log = Log::default();
    let refused = session.take_ownership(log.tell("late")).unwrap_err();
    assert!(matches!(refused, Refused::SessionEnded(_)));
    assert_eq!(log.count(), 0);
    assert_eq!(refused.into_value().name, "late");
}

/// A value that counts its drops.
struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn r12_of_racing_completion_dispose_and_reclaim_one_wins() {
    let runtime = threads();
    let _entered = runtime.enter();
    let sessions = manager();
    let winners = [const { AtomicUsize::new(0) }; 3];
    for _ in 0..1_000 {
        let session = sessions.create().unwrap();
        let dropped = Arc::new(AtomicUsize::new(0));
        let owned = session.take_ownership(Counted(dropped.clone())).unwrap();
        let (disposed, reclaimed) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let dispose = || {
            if owned.dispose() {
                disposed.fetch_add(1, Ordering::Relaxed);
                assert_eq!(dropped.load(Ordering::Relaxed), 1, "it is dropped by now");
            }
        };
        let reclaim = || {
            if let Some(value) = owned.reclaim() {
                reclaimed.fetch_add(1, Ordering::Relaxed);
                assert_eq!(dropped.load(Ordering::Relaxed), 0, "it comes undropped");
                drop(value);
            }
        };
        race([&|| session.terminate(), &dispose, &reclaim]);
        let report = runtime.block_on(session.cleanup_completed());
        assert_eq!(dropped.load(Ordering::Relaxed), 1, "exactly once");
        let won = [
            report.closed(),
            disposed.into_inner(),
            reclaimed.into_inner(),
        ];
        assert_eq!(won.iter().sum::<usize>(), 1, "{won:?}");
        for (all, this) in winners.iter().zip(won) {
            all.fetch_add(this, Ordering::Relaxed);
        }
    }
    assert!(
        winners.iter().all(|won| won.load(Ordering::Relaxed) > 0),
        "each of them wins at times: {winners:?}"
    );
}

#[test]
fn r12_two_that_dispose_or_reclaim_at_once() {
    let runtime = threads();
    let _entered = runtime.enter();
    let sessions = manager();
    let session = sessions.create().unwrap();
    for _ in 0..1_000 {
        let dropped = Arc::new(AtomicUsize::new(0));
        let owned = session.take_ownership(Counted(dropped.clone())).unwrap();
        let won = AtomicUsize::new(0);
        let count = |this: bool| {
            won.fetch_add(usize::from(this), Ordering::Relaxed);
        };
        let dispose = || count(owned.dispose());
        race([&dispose, &dispose, &|| count(owned.reclaim().is_some())]);
        assert_eq!(won.into_inner(), 1);
        assert_eq!(dropped.load(Ordering::Relaxed), 1);
    }
}

#[tokio::test]
async fn r12_cleanup_waits_for_a_dispose_under_way() {
    const ANY: PropertyKey<Tell> = PropertyKey::new("any");
    let sessions = manager();
    let session = sessions.create().unwrap();
    let log = Log::default();
    drop(session.properties().insert(&ANY, log.tell("a property")));
    let _other = session.take_ownership(log.tell("owned")).unwrap();
    let (slow, brake) = Slow::new();
    let owned = session
        .take_ownership((slow, log.tell("disposed")))
        .unwrap();
    let disposing = std::thread::spawn(move || owned.dispose());
    brake.begun();
    session.terminate();
    settle().await;
    assert_eq!(log.entries(), ["owned"]);
    assert!(session.cleanup_completed().now_or_never().is_none());

    drop(brake);
    assert!(disposing.join().unwrap());
    let report = session.cleanup_completed().await;
    assert_eq!(log.entries(), ["owned", "disposed", "a property"]);
    assert!(report.is_clean());
}

#[tokio::test]
async fn r12_a_group_owns_values_too() {
    let sessions = manager();
    let session = sessions.create_in("g".into()).unwrap();
    let group = session.group();
    let log = Log::default();
    let first = group.take_ownership(log.tell("first")).unwrap();
    let second = group.take_ownership(log.tell("second")).unwrap();
    let _third = group.take_ownership(log.tell("third")).unwrap();
    assert!(first.dispose());
    assert_eq!(second.reclaim().unwrap().name, "second");
    session.terminate();
    assert_eq!(group.cleanup_completed().await.closed(), 1);
    assert_eq!(log.entries(), ["first", "second", "third"]);
}

#[tokio::test]
async fn r12_a_value_may_use_its_session_as_it_is_dropped() {
    struct Curious(Session, Log);
    impl Drop for Curious {
        fn drop(&mut self) {
            let refused = self.0.take_ownership(1).is_err();
            self.1.add(format!("refused: {refused}"));
        }
    }
    let sessions = manager();
    let session = sessions.create().unwrap();
    let log = Log::default();
    let curious = || Curious(session.clone(), log.clone());
    let disposed = session.take_ownership(curious()).unwrap();
    let _owned = session.take_ownership(curious()).unwrap();
    assert!(disposed.dispose());
    session.terminate();
    let report = session.cleanup_completed().await;
    assert_eq!(log.entries(), ["refused: false", "refused: true"]);
    // The value that was taken on the way out is closed too.
    assert_eq!(report.closed(), 2);
}
