//! The part of the node's state that requests read: whether it may act, and whom a tag belongs to. The keeper writes it.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use session_core::NodeTag;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

/// Another node, as the last answer of the store showed it.
#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) tag: NodeTag,
    pub(crate) address: SocketAddr,
    /// Whether it creates no new sessions.
    pub(crate) drains: bool,
    /// The number of its active sessions.
    pub(crate) load: AtomicU64,
    /// Cancelled once the node has a verdict.
    pub(crate) gone: CancellationToken,
}

/// The answer to the question to whom a tag belongs.
#[derive(Clone, Debug)]
pub(crate) enum Behind {
    /// The node itself, or one that is dead: if the session is not here, it is nowhere.
    Nobody,
    Peer(Arc<Peer>),
    /// Not known: see [`View::look_up`].
    Unknown,
}

/// A node's part in the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Mode {
    Serving,
    /// It creates no new sessions.
    Draining,
    /// It has no tag any more, and only forwards.
    Left,
}

/// The store has not answered in time: the request can be neither served nor refused for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unsure;

pub(crate) struct View {
    /// Times are told in nanoseconds since this.
    base: Instant,
    /// The node may act before this time.
    open_until: AtomicU64,
    mode: AtomicU8,
    known: RwLock<Known>,
    questions: watch::Sender<Questions>,
    /// Wakes the keeper, which asks the store then.
    pub(crate) ask: Notify,
}

/// The node's knowledge of the others.
#[derive(Default)]
pub(crate) struct Known {
    /// The node's own tag. It changes if the node is given up.
    pub(crate) own: Option<NodeTag>,
    pub(crate) peers: HashMap<NodeTag, Arc<Peer>>,
    pub(crate) dead: HashSet<NodeTag>,
    /// The nodes in the store whose cards are not believed: their sessions may live.
    pub(crate) unreadable: HashSet<NodeTag>,
    /// Whether the store's run is old enough that a tag that is not in it is nobody's.
    pub(crate) is_settled: bool,
    /// The time at which the store's last answer came in.
    pub(crate) answered: Option<Instant>,
}

/// The keeper asks one question at a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Questions {
    /// The number of questions that have been sent.
    pub(crate) sent: u64,
    /// The number, by `sent`, of the last one that was answered.
    pub(crate) answered: u64,
}

impl View {
    pub(crate) fn new() -> Self {
        Self {
            base: Instant::now(),
            open_until: AtomicU64::new(0),
            mode: AtomicU8::new(Mode::Serving as u8),
            known: RwLock::default(),
            questions: watch::Sender::default(),
            ask: Notify::new(),
        }
    }

    /// Whether the node may act for its sessions: one load, and one look at the clock.
    #[inline]
    pub(crate) fn is_open(&self) -> bool {
        // Acquire: a request that sees the new time sees what the answer ended.
        self.since_base(Instant::now()) < self.open_until.load(Ordering::Acquire)
    }

    /// Waits until the node may act, but not for longer than `patience`.
    pub(crate) async fn opened(&self, patience: Duration) -> Result<(), Unsure> {
        let mut questions = self.questions.subscribe();
        self.ask.notify_one();
        let opened = questions.wait_for(|_| self.is_open());
        match timeout(patience, opened).await {
            Ok(Ok(_)) => Ok(()),
            _ => Err(Unsure),
        }
    }

    /// The node's own tag.
    pub(crate) fn own(&self) -> Option<NodeTag> {
        self.known().own
    }

    pub(crate) fn behind(&self, tag: NodeTag) -> Behind {
        let known = self.known();
        if known.own == Some(tag) || known.dead.contains(&tag) {
            return Behind::Nobody;
        }
        known
            .peers
            .get(&tag)
            .map_or(Behind::Unknown, |peer| Behind::Peer(Arc::clone(peer)))
    }

    /// As [`behind`](Self::behind), after a question that begins from now on. Never returns [`Behind::Unknown`].
    pub(crate) async fn look_up(&self, tag: NodeTag, patience: Duration) -> Result<Behind, Unsure> {
        self.answer(patience).await?;
        self.concluded(tag)
    }

    /// As [`behind`](Self::behind), for a request that has seen the store answer. Never returns [`Behind::Unknown`].
    pub(crate) fn concluded(&self, tag: NodeTag) -> Result<Behind, Unsure> {
        let behind = self.behind(tag);
        if !matches!(behind, Behind::Unknown) {
            return Ok(behind);
        }
        let known = self.known();
        if known.is_settled && !known.unreadable.contains(&tag) {
            Ok(Behind::Nobody)
        } else {
            Err(Unsure)
        }
    }

    /// Waits for the answer to a question that begins from now on, but not for longer than `patience`.
    pub(crate) async fn answer(&self, patience: Duration) -> Result<(), Unsure> {
        let mut questions = self.questions.subscribe();
        let sent = questions.borrow().sent;
        self.ask.notify_one();
        let answered = questions.wait_for(|questions| questions.answered > sent);
        match timeout(patience, answered).await {
            Ok(Ok(_)) => Ok(()),
            _ => Err(Unsure),
        }
    }

    /// The node to which a stranger is better sent: of those that don't drain, the one with the fewest sessions.
    pub(crate) fn for_strangers(&self) -> Option<Arc<Peer>> {
        let known = self.known();
        let serving = known.peers.values().filter(|peer| !peer.drains);
        serving
            .min_by_key(|peer| peer.load.load(Ordering::Relaxed))
            .cloned()
    }

    pub(crate) fn mode(&self) -> Mode {
        match self.mode.load(Ordering::Acquire) {
            0 => Mode::Serving,
            1 => Mode::Draining,
            _ => Mode::Left,
        }
    }

    pub(crate) fn set_mode(&self, mode: Mode) {
        self.mode.fetch_max(mode as u8, Ordering::AcqRel);
    }

    /// Sets until when the node may act. `None` is for ever.
    pub(crate) fn open_until(&self, until: Option<Instant>) {
        let until = until.map_or(u64::MAX, |until| self.since_base(until));
        self.open_until.store(until, Ordering::Release);
    }

    /// The node may not act, until it is told otherwise.
    pub(crate) fn close(&self) {
        self.open_until.store(0, Ordering::Release);
    }

    /// Notes a question or its answer, and wakes the requests that wait for it.
    pub(crate) fn note(&self, note: impl FnOnce(&mut Questions)) {
        self.questions.send_modify(note);
    }

    pub(crate) fn known(&self) -> RwLockReadGuard<'_, Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn known_mut(&self) -> RwLockWriteGuard<'_, Known> {
        self.known.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn since_base(&self, time: Instant) -> u64 {
        let since = time.saturating_duration_since(self.base).as_nanos();
        u64::try_from(since).unwrap_or(u64::MAX)
    }
}
