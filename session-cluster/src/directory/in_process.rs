//! A directory in memory, for tests.
//!
//! Invariants:
//! - Each call is one step under one lock, which is held over no `.await`.
//! - The data is replaced or changed as a whole: what a failover takes away is the difference to an older copy.

mod data;
pub(crate) mod link;

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::{Stream, stream};
use session_core::NodeTag;
use tokio::sync::watch;
use tokio::time::Instant;

use self::data::Data;
use super::{Answer, Beat, CaughtUp, Directory, DirectoryError, Position, Report, Run};

/// A [`Directory`] in the memory of one process, for tests: its nodes share clones of it.
///
/// It does what a store does, failures included: it can be [stopped](Self::stop) and [paused](Self::pause), come back
/// [empty](Self::empty), or [fail over](Self::fail_over) to a replica that lacks the last writes. A node that has a
/// [link](Self::link) of its own can be cut off alone. Its time is tokio's, so a test can pause it.
///
/// ```
/// use session_cluster::{Directory as _, InProcessDirectory};
/// use session_core::NodeTag;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let directory = InProcessDirectory::new();
/// assert!(directory.bury(NodeTag::random(), None).await.is_ok());
/// directory.stop();
/// assert!(directory.bury(NodeTag::random(), None).await.is_err());
/// # }
/// ```
#[derive(Clone)]
pub struct InProcessDirectory {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    power: watch::Sender<Power>,
    /// The number of nudges.
    nudges: watch::Sender<u64>,
}

struct State {
    run: Run,
    /// The number of the run, which is a part of its places in the log.
    runs: u64,
    since: Instant,
    /// The time for which the run was up before `since`.
    age_before: Duration,
    data: Data,
    /// The data as it was before each of the last changes, with the time of the change.
    past: VecDeque<(Instant, Data)>,
    calls: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Power {
    On,
    Paused,
    Off,
}

/// The time for which changes can be taken away by a failover.
const PAST_KEPT: Duration = Duration::from_secs(60);

impl InProcessDirectory {
    /// Creates an empty directory whose run begins now.
    #[expect(clippy::new_without_default, reason = "a new one is another directory")]
    pub fn new() -> Self {
        let state = State {
            run: Run("1".to_owned()),
            runs: 1,
            since: Instant::now(),
            age_before: Duration::ZERO,
            data: Data::default(),
            past: VecDeque::new(),
            calls: 0,
        };
        Self {
            shared: Arc::new(Shared {
                state: Mutex::new(state),
                power: watch::Sender::new(Power::On),
                nudges: watch::Sender::default(),
            }),
        }
    }

    /// Stops the directory, as one whose process was killed: calls fail at once. It keeps its data and its run until
    /// [`start`](Self::start), unless it is [emptied](Self::empty) meanwhile.
    pub fn stop(&self) {
        self.shared.power.send_replace(Power::Off);
    }

    /// Pauses the directory, as one whose process is stopped by a signal: calls wait until [`start`](Self::start).
    pub fn pause(&self) {
        self.shared.power.send_replace(Power::Paused);
    }

    /// Ends a [stop](Self::stop) or a [pause](Self::pause).
    pub fn start(&self) {
        self.shared.power.send_replace(Power::On);
    }

    /// Begins a new run without data, as a store that was restarted without having saved any.
    pub fn empty(&self) {
        self.state().begin_run(Data::default());
    }

    /// Begins a new run that lacks what was written in the last `lacking`, as a replica that has taken over. It can lack
    /// the writes of one minute at most.
    pub fn fail_over(&self, lacking: Duration) {
        let now = Instant::now();
        let mut state = self.state();
        let mut past = state.past.iter();
        let first_lost = past.find(|(changed, _)| now.duration_since(*changed) < lacking);
        let data = first_lost.map_or_else(|| state.data.clone(), |(_, before)| before.clone());
        state.begin_run(data);
    }

    /// Makes this run older than it is, so that a test need not wait until the directory has been up for a lease.
    pub fn age(&self, by: Duration) {
        self.state().age_before += by;
    }

    /// Returns the number of calls that have had their effect, from all nodes.
    pub fn calls(&self) -> u64 {
        self.state().calls
    }

    /// Waits until the directory is on, then takes one step with the data. Returns an error if the directory is off.
    async fn step<T>(&self, step: impl FnOnce(&mut State) -> T) -> Result<T, DirectoryError> {
        let mut power = self.shared.power.subscribe();
        // The sender lives as long as the directory.
        if power
            .wait_for(|power| *power != Power::Paused)
            .await
            .is_ok_and(|power| *power == Power::On)
        {
            let mut state = self.state();
            state.calls += 1;
            state.data.prune(Instant::now());
            Ok(step(&mut state))
        } else {
            Err(DirectoryError::new("the directory is stopped"))
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        let state = self.shared.state.lock();
        state.unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn begin_run(&mut self, data: Data) {
        self.runs += 1;
        self.run = Run(self.runs.to_string());
        self.since = Instant::now();
        self.age_before = Duration::ZERO;
        self.data = data;
        self.past.clear();
    }

    /// Returns the data, to be changed now.
    fn data_mut(&mut self) -> &mut Data {
        let now = Instant::now();
        self.past
            .retain(|(changed, _)| now.duration_since(*changed) < PAST_KEPT);
        self.past.push_back((now, self.data.clone()));
        &mut self.data
    }

    fn age(&self) -> Duration {
        self.since.elapsed() + self.age_before
    }
}

impl Directory for InProcessDirectory {
    async fn sync(&self, report: Report<'_>) -> Result<Answer, DirectoryError> {
        self.step(|state| {
            let (run, age) = (state.run.clone(), state.age());
            state.data_mut().sync(&report, run, age)
        })
        .await
    }

    async fn bury(&self, tag: NodeTag, beat: Option<Beat>) -> Result<bool, DirectoryError> {
        self.step(|state| state.data_mut().bury(tag, beat)).await
    }

    async fn append(
        &self,
        run: &Run,
        by: NodeTag,
        number: u64,
        entry: &[u8],
    ) -> Result<Option<Position>, DirectoryError> {
        let position = self.step(|state| {
            let runs = state.runs;
            (state.run == *run).then(|| state.data_mut().append(runs, by, number, entry))
        });
        let position = position.await?;
        self.shared.nudges.send_modify(|nudges| *nudges += 1);
        Ok(position)
    }

    async fn catch_up(
        &self,
        run: &Run,
        tag: NodeTag,
        read: Position,
        readers: bool,
    ) -> Result<CaughtUp, DirectoryError> {
        self.step(|state| {
            if state.run == *run {
                let run = run.clone();
                state.data_mut().catch_up(tag, run, read, readers)
            } else {
                CaughtUp {
                    run: state.run.clone(),
                    log: Vec::new(),
                    readers: Vec::new(),
                }
            }
        })
        .await
    }

    fn nudges(&self) -> impl Stream<Item = ()> + Send + 'static {
        let directory = self.clone();
        let nudges = self.shared.nudges.subscribe();
        // The directory is kept, so its sender is never dropped and the stream never ends.
        stream::unfold((nudges, directory), async |(mut nudges, directory)| {
            nudges.changed().await.ok()?;
            Some(((), (nudges, directory)))
        })
    }
}

impl fmt::Debug for InProcessDirectory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let run = self.state().run.clone();
        f.debug_struct("InProcessDirectory")
            .field("run", &run.0)
            .finish_non_exhaustive()
    }
}
