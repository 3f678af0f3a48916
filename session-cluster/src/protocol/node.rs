//! The state of one node, and the calls of its keeper.

mod answer;

use std::collections::BTreeSet;
use std::time::Duration;

use session_core::NodeTag;

use crate::directory::{Beat, CaughtUp, Position, Run, Seen};
use crate::protocol::lease::Lease;
use crate::protocol::log::Log;
use crate::protocol::membership::{Membership, Peer};
use crate::protocol::step::{Append, Burial, Knowledge, Moment, Question, Reading, Step};
use crate::protocol::verdicts::Verdicts;
use crate::times::{Times, WhenCutOff};

/// One node's part in the protocol. `C` is the verified card of a peer.
#[derive(Debug)]
pub(crate) struct Node<C> {
    times: Times,
    when_cut_off: WhenCutOff,
    tag: NodeTag,
    part: Part,
    lease: Lease,
    /// The time at which the first claim of this tag went out. It may have had its effect without an answer.
    claimed: Option<Moment>,
    beat: u64,
    under_way: Option<Sent>,
    /// The time at which the last question went out.
    asked: Option<Moment>,
    due: Moment,
    store: Option<Store>,
    membership: Membership<C>,
    verdicts: Verdicts,
    log: Log,
    /// A call failed: no other is made before the next answer.
    is_stalled: bool,
}

/// The fate of the node's tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    /// The tag was never held.
    Joining,
    /// The tag was held. The store has it, as far as the node knows.
    Held,
    /// The tag was held, and the store has lost it.
    Lost,
    /// The node has buried itself.
    Left,
}

/// A question that is under way.
#[derive(Clone, Copy, Debug)]
struct Sent {
    at: Moment,
    tag: NodeTag,
    claims: bool,
}

/// The store's run, as the node knows it.
#[derive(Debug)]
struct Store {
    seen: Seen,
    /// The number of runs that the node has known.
    runs: u64,
    /// The time at which the run is certainly as old as a lease.
    settles: Moment,
    /// Whether it was, when the last answered question went out.
    is_settled: bool,
}

impl<C: Clone + PartialEq> Node<C> {
    pub(crate) fn new(times: Times, when_cut_off: WhenCutOff, tag: NodeTag) -> Self {
        Self {
            times,
            when_cut_off,
            tag,
            part: Part::Joining,
            lease: Lease::default(),
            claimed: None,
            beat: 0,
            under_way: None,
            asked: None,
            due: Moment::ZERO,
            store: None,
            membership: Membership::default(),
            verdicts: Verdicts::default(),
            log: Log::default(),
            is_stalled: false,
        }
    }

    pub(crate) fn tag(&self) -> NodeTag {
        self.tag
    }

    /// The time of the next question. It may have passed.
    pub(crate) fn due(&self) -> Moment {
        self.due
    }

    /// A request waits for a question that begins from now on. There are at most 10 a second.
    pub(crate) fn hurry(&mut self, now: Moment) {
        const PAUSE: Duration = Duration::from_millis(100);
        let next = self.asked.map_or(now, |asked| now.max(asked + PAUSE));
        self.due = self.due.min(next);
    }

    /// Returns the next question, and notes the time, which is to be read *before* it is sent. `chance`, in 0.0..1.0, spreads
    /// the questions of many nodes.
    pub(crate) fn question(&mut self, now: Moment, chance: f64) -> Question {
        // A new number for each question, answered or not: a beat never stands for two.
        self.beat += 1;
        let sent = Sent {
            at: now,
            tag: self.tag,
            claims: matches!(self.part, Part::Joining | Part::Lost),
        };
        if sent.claims {
            self.claimed.get_or_insert(now);
        }
        self.under_way = Some(sent);
        self.asked = Some(now);
        // Never later than a period: with two calls of the store's whole timeout after it, the question still ends before
        // the node would count as asleep.
        self.due = now + self.times.period.mul_f64(0.9 + 0.1 * chance);
        Question {
            tag: sent.tag,
            claims: sent.claims,
            beat: Beat(self.beat),
            read: self.log.read(),
            seen: self.store.as_ref().map(|store| store.seen.clone()),
        }
    }

    /// The question had no answer in time. It may have had its effect.
    pub(crate) fn failed(&mut self, now: Moment) {
        if let Some(sent) = self.under_way.take() {
            self.lease.failed(sent.at, now, &self.times);
        }
    }

    /// The time after which [`lapse`](Self::lapse) is to be called, if any.
    pub(crate) fn lapses(&self) -> Option<Moment> {
        let ends = self.when_cut_off == WhenCutOff::End && self.has_tag();
        ends.then(|| self.lease.end(&self.times))?
    }

    /// Ends the node's tag if its lease is over and it was told to end its sessions then.
    pub(crate) fn lapse(
        &mut self,
        now: Moment,
        fresh: &mut dyn FnMut() -> NodeTag,
    ) -> Vec<Step<C>> {
        let mut steps = Vec::new();
        if self.lapses().is_some_and(|end| now >= end) {
            self.resign(fresh, now, &mut steps);
        }
        steps
    }

    /// Leaves the cluster. The node never acts again, but learns of the others as before. If it had a tag, its
    /// [`burial`](Self::burial) comes first, and again until it is done.
    pub(crate) fn leave(&mut self, now: Moment, fresh: &mut dyn FnMut() -> NodeTag) {
        if self.has_tag() {
            self.verdicts.learn(self.tag, now);
            self.is_stalled = false;
        } else if self.part == Part::Joining {
            // Perhaps the tag is another node's, whom a renewal would displace.
            self.take_another_tag(fresh);
        }
        self.part = Part::Left;
    }

    /// The time until which the node may act, for ever if `None`.
    pub(crate) fn open_until(&self) -> Option<Moment> {
        if !self.has_tag() {
            return Some(Moment::ZERO);
        }
        match self.when_cut_off {
            WhenCutOff::Serve => None,
            WhenCutOff::Suspend | WhenCutOff::End => Some(self.lease.open_until(&self.times)),
        }
    }

    /// Whether the node may act now.
    pub(crate) fn is_open(&self, now: Moment) -> bool {
        self.open_until().is_none_or(|until| now < until)
    }

    /// Whether this run of the store was older than a lease when the last answered question went out. An unknown tag is
    /// nobody's then.
    pub(crate) fn is_settled(&self) -> bool {
        self.store.as_ref().is_some_and(|store| store.is_settled)
    }

    pub(crate) fn knows(&self, tag: NodeTag) -> Knowledge {
        if tag == self.tag {
            return Knowledge::Own;
        }
        if self.verdicts.knows(tag) {
            return Knowledge::Dead;
        }
        match self.membership.get(tag) {
            Some(peer) if peer.card.is_some() => Knowledge::Peer,
            Some(_) => Knowledge::Unreadable,
            None => Knowledge::Unknown,
        }
    }

    /// The other nodes that have no verdict, with their loads.
    pub(crate) fn peers(&self) -> impl Iterator<Item = (NodeTag, &Peer<C>)> {
        self.membership.iter()
    }

    /// The next verdict to write, if any.
    pub(crate) fn burial(&self) -> Option<Burial> {
        if self.is_stalled {
            return None;
        }
        if let Some((tag, beat)) = self.membership.silent() {
            return Some(self.burial_of(tag, Some(beat)));
        }
        // From its own tag on, so that the nodes don't all begin with the same one.
        let tag = self.verdicts.unconfirmed(self.tag)?;
        Some(self.burial_of(tag, None))
    }

    /// A verdict was written, or not because the tag has another beat.
    pub(crate) fn buried(&mut self, now: Moment, burial: Burial, is_dead: bool) -> Vec<Step<C>> {
        let mut steps = Vec::new();
        self.membership.forget_silence(burial.tag);
        if is_dead {
            self.learn(now, burial.tag, &mut steps);
            if burial.runs == self.runs() {
                self.verdicts.confirm(burial.tag);
            }
        }
        steps
    }

    /// The name of the next entry that [`end`](Self::end) takes.
    pub(crate) fn next_entry(&self) -> (NodeTag, u64) {
        (self.tag, self.log.last() + 1)
    }

    /// Takes an entry for the log, which this node has applied, and returns its number.
    pub(crate) fn end(&mut self, now: Moment, bytes: Vec<u8>) -> u64 {
        self.log.add(self.tag, now, bytes)
    }

    /// The next own entry to append, if any.
    pub(crate) fn append(&self) -> Option<Append> {
        let run = self.run().filter(|_| !self.is_stalled)?;
        self.log.append(run)
    }

    /// The entry was appended at this place, or not because the store's run is another.
    pub(crate) fn appended(&mut self, now: Moment, append: &Append, place: Option<Position>) {
        // In another run it is appended again.
        if self.run() == Some(&append.run) {
            if let Some(place) = place {
                self.log.appended(append, place);
            } else {
                self.is_stalled = true;
                self.hurry(now);
            }
        }
    }

    /// The reading to tell the store, to catch up with the log. `None` before the first answer.
    pub(crate) fn reading(&self) -> Option<Reading> {
        Some(Reading {
            run: self.run()?.clone(),
            tag: self.tag,
            read: self.log.read()?,
        })
    }

    /// The store has returned entries of the log, without those that were not verified.
    pub(crate) fn caught_up(&mut self, reading: &Reading, caught_up: CaughtUp) -> Vec<Step<C>> {
        let mut steps = Vec::new();
        if self.run() == Some(&reading.run) && caught_up.run == reading.run {
            let read = caught_up.log.last().map(|entry| entry.position);
            self.log.take_in(caught_up.log, read, &mut steps);
            if !caught_up.readers.is_empty() {
                self.log.set_readers(caught_up.readers);
                // Before, the store may have lost a node that this one has never heard of.
                if self.is_settled() {
                    self.log.drop_read(&self.others());
                }
            }
        }
        steps
    }

    /// Whether the store has taken this entry.
    pub(crate) fn is_taken(&self, number: u64) -> bool {
        self.log.is_taken(number)
    }

    /// The live nodes that have not read this entry, as far as is known from the last [`CaughtUp::readers`]. Until the run is
    /// settled there may be others, of which this node has not heard.
    pub(crate) fn unread(&self, number: u64) -> Vec<NodeTag> {
        self.log.unread(number, &self.others())
    }

    /// Whether entries are kept because some node may not have read them, so that the readers are worth a question.
    pub(crate) fn keeps_entries(&self) -> bool {
        self.log.keeps_entries()
    }

    /// A burial, an append or a reading failed. It may have had its effect.
    pub(crate) fn call_failed(&mut self) {
        self.is_stalled = true;
    }

    fn has_tag(&self) -> bool {
        matches!(self.part, Part::Held | Part::Lost)
    }

    fn run(&self) -> Option<&Run> {
        self.store.as_ref().map(|store| &store.seen.run)
    }

    fn runs(&self) -> u64 {
        self.store.as_ref().map_or(0, |store| store.runs)
    }

    fn burial_of(&self, tag: NodeTag, beat: Option<Beat>) -> Burial {
        let runs = self.runs();
        Burial { tag, beat, runs }
    }

    /// The live nodes other than this one.
    fn others(&self) -> BTreeSet<NodeTag> {
        let readers = self.log.readers();
        let peers = self.membership.iter().map(|(tag, _)| tag);
        let all = peers.chain(readers);
        all.filter(|&tag| tag != self.tag && !self.verdicts.knows(tag))
            .collect()
    }
}
