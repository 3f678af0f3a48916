//! One node's way to a directory in memory, which can fail apart from the others'.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{Stream, StreamExt as _};
use session_core::NodeTag;
use tokio::sync::watch;
use tokio::time::sleep;

use super::InProcessDirectory;
use crate::directory::{Answer, Beat, CaughtUp, Directory, DirectoryError, Position, Report, Run};

/// A node's own way to an [`InProcessDirectory`], from [`InProcessDirectory::link`]: it fails for this node alone.
///
/// Clones are the same way: one goes to the node, the other stays with the test.
///
/// ```
/// use session_cluster::{Directory as _, InProcessDirectory};
/// use session_core::NodeTag;
/// use std::time::Duration;
/// use tokio::time::timeout;
///
/// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
/// let directory = InProcessDirectory::new();
/// let (cut_off, other) = (directory.link(), directory.link());
/// cut_off.cut();
/// let tag = NodeTag::random();
/// assert!(timeout(Duration::from_secs(2), cut_off.bury(tag, None)).await.is_err());
/// assert!(other.bury(tag, None).await.is_ok());
/// # }
/// ```
#[derive(Clone)]
pub struct InProcessLink {
    directory: InProcessDirectory,
    way: Arc<watch::Sender<Way>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Whole,
    /// Nothing passes.
    Cut,
    /// Calls pass, answers don't.
    Deaf,
    /// Answers take this time.
    Slow(Duration),
}

impl InProcessDirectory {
    /// Creates a node's own way to this directory, which can be cut.
    pub fn link(&self) -> InProcessLink {
        InProcessLink {
            directory: self.clone(),
            way: Arc::new(watch::Sender::new(Way::Whole)),
        }
    }
}

impl InProcessLink {
    /// Cuts the way, as a network that drops all packets: calls wait until it is [healed](Self::heal), and have no effect
    /// before. There are no nudges.
    pub fn cut(&self) {
        self.way.send_replace(Way::Cut);
    }

    /// Loses the answers: calls have their effect, but wait until the way is [healed](Self::heal).
    pub fn lose_answers(&self) {
        self.way.send_replace(Way::Deaf);
    }

    /// Delays the answers: calls have their effect at once, and return after this time.
    pub fn delay(&self, by: Duration) {
        self.way.send_replace(Way::Slow(by));
    }

    /// Makes the way whole again.
    pub fn heal(&self) {
        self.way.send_replace(Way::Whole);
    }

    async fn pass<T>(
        &self,
        call: impl Future<Output = Result<T, DirectoryError>>,
    ) -> Result<T, DirectoryError> {
        self.until(|way| *way != Way::Cut).await;
        let result = call.await;
        let way = self.until(|way| !matches!(way, Way::Cut | Way::Deaf));
        if let Way::Slow(by) = way.await {
            sleep(by).await;
        }
        result
    }

    async fn until(&self, passes: impl FnMut(&Way) -> bool) -> Way {
        let mut way = self.way.subscribe();
        // The link keeps the sender, so this does not fail.
        way.wait_for(passes).await.map_or(Way::Whole, |way| *way)
    }
}

impl Directory for InProcessLink {
    async fn sync(&self, report: Report<'_>) -> Result<Answer, DirectoryError> {
        self.pass(self.directory.sync(report)).await
    }

    async fn bury(&self, tag: NodeTag, beat: Option<Beat>) -> Result<bool, DirectoryError> {
        self.pass(self.directory.bury(tag, beat)).await
    }

    async fn append(
        &self,
        run: &Run,
        by: NodeTag,
        number: u64,
        entry: &[u8],
    ) -> Result<Option<Position>, DirectoryError> {
        self.pass(self.directory.append(run, by, number, entry))
            .await
    }

    async fn catch_up(
        &self,
        run: &Run,
        tag: NodeTag,
        read: Position,
        readers: bool,
    ) -> Result<CaughtUp, DirectoryError> {
        let call = self.directory.catch_up(run, tag, read, readers);
        self.pass(call).await
    }

    fn nudges(&self) -> impl Stream<Item = ()> + Send + 'static {
        let way = Arc::clone(&self.way);
        self.directory.nudges().filter(move |()| {
            let passes = !matches!(*way.borrow(), Way::Cut | Way::Deaf);
            std::future::ready(passes)
        })
    }
}

impl fmt::Debug for InProcessLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let way = *self.way.borrow();
        f.debug_struct("InProcessLink")
            .field("way", &way)
            .finish_non_exhaustive()
    }
}
