//! A directory whose answers are odd.

use futures_util::{Stream, stream};
use session_cluster::{
    Answer, Beat, CaughtUp, Directory, DirectoryError, InProcessDirectory, Position, Report, Run,
};
use session_core::NodeTag;
use tokio::task::yield_now;

use crate::kit::{TURN, builder, manager, pass};

/// It has this many nudges, all at once, and each node has as many sessions as can be.
#[derive(Clone)]
struct Odd(InProcessDirectory, u64);

impl Directory for Odd {
    async fn sync(&self, report: Report<'_>) -> Result<Answer, DirectoryError> {
        let mut answer = self.0.sync(report).await?;
        for (_, pulse) in &mut answer.beats {
            pulse.load = u64::MAX;
        }
        Ok(answer)
    }

    async fn bury(&self, tag: NodeTag, beat: Option<Beat>) -> Result<bool, DirectoryError> {
        self.0.bury(tag, beat).await
    }

    async fn append(
        &self,
        run: &Run,
        by: NodeTag,
        number: u64,
        entry: &[u8],
    ) -> Result<Option<Position>, DirectoryError> {
        self.0.append(run, by, number, entry).await
    }

    async fn catch_up(
        &self,
        run: &Run,
        tag: NodeTag,
        read: Position,
        readers: bool,
    ) -> Result<CaughtUp, DirectoryError> {
        self.0.catch_up(run, tag, read, readers).await
    }

    fn nudges(&self) -> impl Stream<Item = ()> + Send + 'static {
        stream::unfold(self.1, async |left| Some(((), left.checked_sub(1)?)))
    }
}

/// In real time: paused time stands still while a task is busy.
#[tokio::test]
async fn c04_nudges_without_end_do_not_keep_a_node_from_its_questions() {
    for nudges in [u64::MAX, 3] {
        let directory = Odd(InProcessDirectory::new(), nudges);
        let cluster = builder(&manager(), directory, 1).join().await.unwrap();
        while cluster.metrics().renewals < 3 {
            assert!(cluster.is_ready());
            yield_now().await;
        }
    }
}

#[tokio::test]
async fn c23_no_number_of_sessions_is_too_large() {
    let directory = Odd(InProcessDirectory::new(), u64::MAX);
    let mut clusters = Vec::new();
    for number in 1..=3 {
        clusters.push(
            builder(&manager(), directory.clone(), number)
                .join()
                .await
                .unwrap(),
        );
    }
    pass(TURN).await;
    assert_eq!(clusters[0].counts().sessions, u64::MAX);
}
