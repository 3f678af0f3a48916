//! The store that the nodes share: one entry per node, verdicts, and a log. Nothing in it belongs to a session.

pub(crate) mod in_process;
pub(crate) mod redis;

use std::error::Error;
use std::fmt;
use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::Stream;
use session_core::NodeTag;

/// The store that the nodes of a cluster share.
///
/// [`RedisDirectory`](crate::RedisDirectory) is the one for production, [`InProcessDirectory`](crate::InProcessDirectory)
/// the one for tests. Implement the trait for another store that has an atomic compare-and-set.
///
/// A directory keeps, for each node, its *beat*, its *card* and its *load*; a *verdict* for each tag that was given up,
/// for [`VERDICTS_KEPT`]; and a log, likewise. It understands neither cards nor log entries, which are sealed with the
/// cluster's secret. Each call is one atomic step. Its methods need no timeouts: the cluster cancels a call that takes
/// longer than the store's timeout, and such a call may have had its effect.
pub trait Directory: Send + Sync + 'static {
    /// Renews or claims a tag, and returns what has changed.
    ///
    /// - Without a claim: if the tag has a verdict, [`Standing::Dead`]; if it is not there, [`Standing::Unknown`]; otherwise
    ///   its beat, load and card are replaced, and it is [`Standing::Held`]. A report that comes late, with a beat below
    ///   the one that is there, replaces nothing.
    /// - With a claim: if the tag has a verdict, or is there with another address, [`Standing::Dead`]. Otherwise every
    ///   other tag with this address gets a verdict, and the tag is there with its beat, load and card:
    ///   [`Standing::Held`].
    ///
    /// The rest of the answer is as of the same moment, with the node's own entry.
    fn sync(
        &self,
        report: Report<'_>,
    ) -> impl Future<Output = Result<Answer, DirectoryError>> + Send;

    /// Writes a verdict for the tag, if its beat is this one, or if it is not there. Without a beat it writes one in any
    /// case. Returns whether the tag has a verdict now.
    fn bury(
        &self,
        tag: NodeTag,
        beat: Option<Beat>,
    ) -> impl Future<Output = Result<bool, DirectoryError>> + Send;

    /// Appends an entry to the log, wakes the [`nudges`](Self::nudges) of all nodes, and returns the entry's place. `by` and
    /// `number` are the entry's name: an entry whose number is not above that of the last entry `by` the same node is not
    /// appended again, and the place is that of the last one: a node that has read up to it has read this one. So a node appends
    /// one entry at a time, and repeats one that was not answered before it appends the next.
    ///
    /// Does nothing and returns `None` if the store's run is another: the node must first append again what that run has
    /// lost, in order, or it would be taken for appended.
    fn append(
        &self,
        run: &Run,
        by: NodeTag,
        number: u64,
        entry: &[u8],
    ) -> impl Future<Output = Result<Option<Position>, DirectoryError>> + Send;

    /// Notes that the node has read the log of this run up to `read`, and returns the entries after that.
    ///
    /// With `readers`, it also returns up to where each node has read. If the store's run is another, it notes nothing,
    /// and returns nothing but its run.
    fn catch_up(
        &self,
        run: &Run,
        tag: NodeTag,
        read: Position,
        readers: bool,
    ) -> impl Future<Output = Result<CaughtUp, DirectoryError>> + Send;

    /// Returns a stream that yields whenever an entry may have been appended. It may miss some, so it only saves time.
    /// It never ends, and reconnects by itself.
    fn nudges(&self) -> impl Stream<Item = ()> + Send + 'static;
}

/// The time for which a directory keeps verdicts and the log.
pub const VERDICTS_KEPT: Duration = Duration::from_secs(24 * 60 * 60);

/// The number of a renewal. It rises with each one of a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Beat(pub u64);

/// A place in the log. It is meaningful within one [`Run`] only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Position(pub u64, pub u64);

/// The renewal or claim of a tag.
#[derive(Clone, Debug)]
pub struct Report<'a> {
    /// The node's tag.
    pub tag: NodeTag,
    /// Whether the tag is claimed, rather than renewed.
    pub claims: bool,
    /// Where the other nodes reach this one.
    pub address: SocketAddr,
    /// This renewal.
    pub beat: Beat,
    /// The node's sealed card. It is short, and rarely changes.
    pub card: &'a [u8],
    /// The number of the node's active sessions.
    pub load: u64,
    /// The place up to which the node has read the log, in the run of `seen`. `None` before its first answer: it gets no
    /// entries then, and its place is the log's end.
    pub read: Option<Position>,
    /// The [`Answer::seen`] of the last answer that the node has taken in, if any.
    pub seen: Option<&'a Seen>,
}

/// The answer to a [`Report`].
#[derive(Clone, Debug)]
pub struct Answer {
    /// Whether the node has its tag.
    pub standing: Standing,
    /// The run of the store that answered.
    pub run: Run,
    /// The time for which this run of the store has been up, or less: never more. It starts at zero with each run: after
    /// a failover it is not the time for which the replica's process has been up.
    pub age: Duration,
    /// The beats of all nodes that are in the store.
    pub beats: Vec<(NodeTag, Pulse)>,
    /// The cards of all nodes, if `complete`; otherwise at least those that have changed.
    pub cards: Vec<(NodeTag, Vec<u8>)>,
    /// All verdicts that are kept, if `complete`; otherwise at least those since the answer that the node has seen.
    pub verdicts: Vec<NodeTag>,
    /// Whether the answer has all cards and verdicts. It does if the node has seen no answer, or one of another run.
    pub complete: bool,
    /// The number of the last entry of each node in the log, if `complete`; otherwise empty.
    pub numbers: Vec<(NodeTag, u64)>,
    /// The entries after the report's `read`. All entries of the log, if that is of another run.
    pub log: Vec<Entry>,
    /// The place up to which the node has read the log, once it has taken in this answer.
    pub read: Position,
    /// To be told with the next report.
    pub seen: Seen,
}

/// The outcome of [`catch_up`](Directory::catch_up).
#[derive(Clone, Debug)]
pub struct CaughtUp {
    /// The run of the store that answered. If it is not the one asked about, the rest is empty.
    pub run: Run,
    /// The entries after the place up to which the node had read.
    pub log: Vec<Entry>,
    /// The place up to which each node that is in the store has read, if asked for.
    pub readers: Vec<(NodeTag, Position)>,
}

/// An entry of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its place.
    pub position: Position,
    /// The node that has appended it.
    pub by: NodeTag,
    /// Its number among the entries of that node.
    pub number: u64,
    /// The sealed entry.
    pub bytes: Vec<u8>,
}

/// The part of a node's entry that changes with each renewal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pulse {
    /// Its last renewal.
    pub beat: Beat,
    /// The number of its active sessions.
    pub load: u64,
}

/// A node's standing in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The node has its tag.
    Held,
    /// The store does not know the tag: it has lost the node.
    Unknown,
    /// The tag has a verdict, or belongs to another node.
    Dead,
}

/// The name of one run of the store. It is another one after a restart, a failover to a replica, or a loss of all data.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Run(pub String);

/// The directory's own note of what a node has seen: the run, and a number of changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The run of the store.
    pub run: Run,
    /// A number that rises with each change of a card and each verdict in this run.
    pub changes: u64,
}

/// The store did not answer, or answered with an error.
#[derive(Debug)]
pub struct DirectoryError(Box<dyn Error + Send + Sync>);

impl DirectoryError {
    /// Wraps the error of a store's client.
    pub fn new(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(error.into())
    }
}

impl fmt::Display for DirectoryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a call to the cluster's store failed")
    }
}

impl Error for DirectoryError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.0)
    }
}
