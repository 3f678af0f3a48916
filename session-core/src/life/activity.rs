//! The activity that keeps a session from being idle: a count and a time, in one word.
//!
//! Invariants:
//! 1. The word holds the whole answer to "may this session end because it is idle?", so one compare-and-swap
//!    decides it. A request that comes and goes between the look and the decision changes the time, and the swap
//!    fails. If count and time were separate, the request would be missed.
//! 2. Once `COMPLETED` is set it stays set, and no request enters: `inside` only falls.
//! 3. `KEPT`, the epoch and `COMPLETED` change under the session's lock only. The methods that change them take the
//!    state that the lock guards, as proof that it is held.
//! 4. A guard remembers the epoch it entered in. When a session moves to another group the epoch goes up, so the
//!    guards that the old group waits for can be told from those that came after.
//! 5. The time of an active session has no meaning, so `PARKED` may stand in its place. The thread that ends the
//!    activity sets the time and thereby removes the mark. Only that thread finds that its own step has removed it.

use std::fmt;

use crate::life::clock::Ticks;
use crate::life::state::State;
use crate::sync::{AtomicU64, Ordering};

const COMPLETED: u64 = 1 << 63;
const KEPT: u64 = 1 << 62;
const EPOCH_SHIFT: u32 = 56;
const EPOCH_MASK: u64 = 0x3f << EPOCH_SHIFT;
const INSIDE_SHIFT: u32 = 36;
const INSIDE_ONE: u64 = 1 << INSIDE_SHIFT;
const INSIDE_MASK: u64 = 0xf_ffff << INSIDE_SHIFT;
const TIME_MASK: u64 = (1 << INSIDE_SHIFT) - 1;
/// Stands in place of the time of an active session. The end of its activity is to be reported.
const PARKED: u64 = TIME_MASK;

/// The number of requests that can be inside one session at a time.
pub(crate) const MAX_INSIDE: u64 = INSIDE_MASK >> INSIDE_SHIFT;

/// The word. See the module's invariants.
pub(crate) struct Activity(AtomicU64);

/// The epoch a guard entered in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Epoch(u8);

/// The duty of a guard that has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Left {
    /// Nothing.
    Quietly,
    /// The session has completed or moved to another group since, or was parked.
    Awaited(Departed),
}

/// A guard that has left and was awaited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Departed {
    pub(crate) entered: Epoch,
    pub(crate) left: Epoch,
    /// The guard was the last activity of a parked session.
    pub(crate) unparked: bool,
}

/// The reason why a session did not end as idle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Alive {
    /// A request is inside, or a guard keeps the session alive.
    Active,
    /// The last activity ended at this time.
    Since(Ticks),
    Completed,
}

impl Activity {
    pub(crate) fn new(now: Ticks) -> Self {
        Self(AtomicU64::new(now.0.min(PARKED - 1)))
    }

    fn update(&self, mut next: impl FnMut(u64) -> Option<u64>) -> Result<u64, u64> {
        // Acquire: a thread that enters sees everything done before the session was published, and a thread that sees
        // COMPLETED sees the completion. Release: a thread that reads `inside == 0` sees everything those requests did.
        // With a weaker ordering, cleanup could close a value that a request still writes to.
        let mut word = self.0.load(Ordering::Acquire);
        loop {
            let Some(new) = next(word) else {
                return Err(word);
            };
            match self
                .0
                .compare_exchange_weak(word, new, Ordering::AcqRel, Ordering::Acquire)
            {
                Ok(_) => return Ok(word),
                Err(seen) => word = seen,
            }
        }
    }

    pub(crate) fn is_completed(&self) -> bool {
        // Acquire: a thread that sees the end also sees everything that led to it.
        self.0.load(Ordering::Acquire) & COMPLETED != 0
    }

    pub(crate) fn inside(&self) -> u64 {
        (self.0.load(Ordering::Acquire) & INSIDE_MASK) >> INSIDE_SHIFT
    }

    /// Counts one more request inside; `None` on a completed session.
    ///
    /// # Panics
    ///
    /// If [`MAX_INSIDE`] requests are already inside.
    #[inline]
    pub(crate) fn enter(&self) -> Option<Epoch> {
        let entered = self.update(|word| {
            if word & COMPLETED != 0 {
                return None;
            }
            assert!(
                word & INSIDE_MASK != INSIDE_MASK,
                "over {MAX_INSIDE} requests inside one session"
            );
            Some(word + INSIDE_ONE)
        });
        entered.ok().map(epoch)
    }

    /// Counts one request less. Reads the clock if it was the last activity.
    #[inline]
    pub(crate) fn leave(&self, entered: Epoch, mut now: impl FnMut() -> Ticks) -> Left {
        let left = self.update(|word| {
            let word = word - INSIDE_ONE;
            Some(if word & (INSIDE_MASK | KEPT | COMPLETED) == 0 {
                at(word, now())
            } else {
                word
            })
        });
        let (Ok(before) | Err(before)) = left;
        let unparked = is_parked(before) && before & (INSIDE_MASK | KEPT | COMPLETED) == INSIDE_ONE;
        if before & COMPLETED != 0 || epoch(before) != entered || unparked {
            Left::Awaited(Departed {
                entered,
                left: epoch(before),
                unparked,
            })
        } else {
            Left::Quietly
        }
    }

    /// Sets `KEPT`.
    pub(crate) fn keep(&self, _locked: &mut State) {
        let _ = self.update(|word| (word & COMPLETED == 0).then_some(word | KEPT));
    }

    /// Clears `KEPT`. Returns whether that was the last activity of a parked session.
    pub(crate) fn keep_no_longer(
        &self,
        _locked: &mut State,
        mut now: impl FnMut() -> Ticks,
    ) -> bool {
        let released = self.update(|word| {
            let word = word & !KEPT;
            Some(if word & (INSIDE_MASK | COMPLETED) == 0 {
                at(word, now())
            } else {
                word
            })
        });
        released.is_ok_and(|before| is_parked(before) && before & (INSIDE_MASK | COMPLETED) == 0)
    }

    /// Parks an active session: the end of its activity will be reported to the thread that ends it.
    pub(crate) fn park(&self) -> Result<(), Alive> {
        let parked = self.update(|word| match idle_since(word) {
            Err(Alive::Active) => Some(word | PARKED),
            _ => None,
        });
        parked.map(|_| ()).map_err(alive)
    }

    /// Sets `COMPLETED`, whatever is inside.
    #[expect(clippy::unnecessary_wraps, reason = "as `complete_if_idle`")]
    pub(crate) fn complete(&self, _locked: &mut State) -> Result<(), Alive> {
        let _ = self.update(|word| Some(word | COMPLETED));
        Ok(())
    }

    /// Sets `COMPLETED` if the last activity ended at `limit` or before.
    pub(crate) fn complete_if_idle(&self, _locked: &mut State, limit: Ticks) -> Result<(), Alive> {
        let completed =
            self.update(|word| (idle_since(word).ok()? <= limit).then_some(word | COMPLETED));
        completed.map(|_| ()).map_err(alive)
    }

    /// Sets `COMPLETED` on an idle session, and parks an active one. If the result is `Alive::Active`, the thread that
    /// ends the activity is told.
    pub(crate) fn complete_or_park(&self, _locked: &mut State) -> Result<(), Alive> {
        let before = self.update(|word| match idle_since(word) {
            Ok(_) => Some(word | COMPLETED),
            Err(Alive::Active) => Some(word | PARKED),
            Err(_) => None,
        });
        let (Ok(word) | Err(word)) = before;
        idle_since(word).map(|_| ())
    }

    /// Counts as activity that ends now. An active session is left as it is: its time is that of its end.
    pub(crate) fn touch(&self, now: Ticks) {
        let _ = self.update(|word| idle_since(word).is_ok().then(|| at(word, now)));
    }

    /// Whether the session is active or completed, or since when it has been idle.
    pub(crate) fn alive(&self) -> Alive {
        self.look().1
    }

    /// Returns the number of requests inside and, as of the same moment, what `alive` returns.
    pub(crate) fn look(&self) -> (u64, Alive) {
        let word = self.0.load(Ordering::Acquire);
        ((word & INSIDE_MASK) >> INSIDE_SHIFT, alive(word))
    }

    pub(crate) fn epoch(&self) -> Epoch {
        epoch(self.0.load(Ordering::Acquire))
    }

    /// Starts a new epoch, and returns the old one with the number of requests inside at that moment.
    pub(crate) fn next_epoch(&self, _locked: &mut State) -> (Epoch, u64) {
        let next = self.update(|word| {
            let up = word.wrapping_add(1 << EPOCH_SHIFT) & EPOCH_MASK;
            Some(word & !EPOCH_MASK | up)
        });
        let (Ok(before) | Err(before)) = next;
        (epoch(before), (before & INSIDE_MASK) >> INSIDE_SHIFT)
    }
}

impl Epoch {
    /// The number of bits that hold an epoch.
    pub(crate) const BITS: u32 = 6;

    pub(crate) fn to_bits(self) -> u64 {
        self.0.into()
    }

    /// Returns the epoch in the lowest bits.
    pub(crate) fn of_bits(bits: u64) -> Self {
        Self(u8::try_from(bits & 0x3f).unwrap_or_default())
    }

    /// Returns how many epochs after `other` this one came, wrapping around.
    pub(crate) fn after(self, other: Self) -> u8 {
        self.0.wrapping_sub(other.0) & 0x3f
    }

    /// The number of epochs before they wrap around.
    pub(crate) const COUNT: usize = 64;
}

fn epoch(word: u64) -> Epoch {
    Epoch(u8::try_from((word & EPOCH_MASK) >> EPOCH_SHIFT).unwrap_or_default())
}

fn at(word: u64, now: Ticks) -> u64 {
    // The time never goes back: a slower thread may have read the clock earlier.
    let since = if is_parked(word) { 0 } else { word & TIME_MASK };
    word & !TIME_MASK | since.max(now.0.min(PARKED - 1))
}

/// Whether an active session is parked.
fn is_parked(word: u64) -> bool {
    word & TIME_MASK == PARKED
}

fn alive(word: u64) -> Alive {
    match idle_since(word) {
        Ok(since) => Alive::Since(since),
        Err(alive) => alive,
    }
}

fn idle_since(word: u64) -> Result<Ticks, Alive> {
    if word & COMPLETED != 0 {
        Err(Alive::Completed)
    } else if word & (KEPT | INSIDE_MASK) != 0 {
        Err(Alive::Active)
    } else {
        Ok(Ticks(word & TIME_MASK))
    }
}

impl fmt::Debug for Activity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Activity")
            .field("inside", &self.inside())
            .field("alive", &self.alive())
            .finish()
    }
}
