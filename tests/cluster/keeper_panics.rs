//! A panic in the keeper, here of a directory's own code.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::Stream;
use session_cluster::{
    Answer, Beat, CaughtUp, ConfirmError, Directory, DirectoryError, InProcessDirectory, Lease,
    Position, Report, Run, WhenCutOff,
};
use session_core::NodeTag;

use crate::kit::{TURN, builder, manager, pass};

/// A directory that panics when it is told to.
#[derive(Clone)]
struct Faulty {
    directory: InProcessDirectory,
    panics: Arc<AtomicBool>,
}

impl Directory for Faulty {
    async fn sync(&self, report: Report<'_>) -> Result<Answer, DirectoryError> {
        assert!(!self.panics.load(Ordering::Relaxed), "boom");
        self.directory.sync(report).await
    }

    async fn bury(&self, tag: NodeTag, beat: Option<Beat>) -> Result<bool, DirectoryError> {
        self.directory.bury(tag, beat).await
    }

    async fn append(
        &self,
        run: &Run,
        by: NodeTag,
        number: u64,
        entry: &[u8],
    ) -> Result<Option<Position>, DirectoryError> {
        self.directory.append(run, by, number, entry).await
    }

    async fn catch_up(
        &self,
        run: &Run,
        tag: NodeTag,
        read: Position,
        readers: bool,
    ) -> Result<CaughtUp, DirectoryError> {
        self.directory.catch_up(run, tag, read, readers).await
    }

    fn nudges(&self) -> impl Stream<Item = ()> + Send + 'static {
        self.directory.nudges()
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_closes_the_node_and_fails_its_calls() {
    let directory = Faulty {
        directory: InProcessDirectory::new(),
        panics: Arc::default(),
    };
    let sessions = manager();
    // Even a node that would serve without a store.
    let builder = builder(&sessions, directory.clone(), 1).when_cut_off(WhenCutOff::Serve);
    let cluster = builder.join().await.unwrap();
    let session = sessions.create().unwrap();
    assert!(cluster.is_ready());
    directory.panics.store(true, Ordering::Relaxed);
    pass(TURN).await;

    assert!(!cluster.is_ready());
    assert_eq!(cluster.metrics().lease, Lease::Suspended);
    let confirmed = cluster.confirm(&session).await;
    assert_eq!(confirmed, Err(ConfirmError::Unsure));
    let user = "user:42".into();
    let ended = cluster.end_group(&user, Duration::from_secs(1));
    assert!(ended.await.is_err());
    let left = cluster.leave(Duration::ZERO, Duration::ZERO).await;
    assert!(left.farewell.is_err());
}
