//! The conclusions from an answer of the store.

use session_core::NodeTag;

use crate::directory::{Answer, Standing, VERDICTS_KEPT};
use crate::protocol::lease::Lease;
use crate::protocol::node::{Node, Part, Sent, Store};
use crate::protocol::step::{Moment, Step};

impl<C: Clone + PartialEq> Node<C> {
    /// The question was answered. `cards` are those of `answer.cards` that were verified, and `answer.log` is without entries
    /// that were not. `fresh` returns a random tag.
    pub(crate) fn answered(
        &mut self,
        now: Moment,
        answer: Answer,
        cards: Vec<(NodeTag, C)>,
        fresh: &mut dyn FnMut() -> NodeTag,
    ) -> Vec<Step<C>> {
        let mut steps = self.lapse(now, fresh);
        let Some(sent) = self.under_way.take() else {
            return steps;
        };
        self.is_stalled = false;
        let joins = self.log.read().is_none();
        let is_new_run = self.take_in_run(now, sent.at, &answer);
        let anew = is_new_run || self.membership.was_away(sent.at, &self.times);
        if is_new_run {
            self.verdicts.doubt_all();
            self.log.start_run();
        }
        if is_new_run && self.lease.is_over(now, &self.times) || anew && self.lease.is_held_back() {
            // The former run may have had a verdict that this one has lost. A node that knows of it repeats it now.
            self.lease.hold_back(now, &self.times);
        }
        self.stand(now, sent, &answer, fresh, &mut steps);

        for &tag in &answer.verdicts {
            self.learn(now, tag, &mut steps);
            self.verdicts.confirm(tag);
        }
        for tag in self.verdicts.forget(now) {
            self.log.forget(tag);
        }
        self.observe(now, sent.at, anew, &answer, cards, &mut steps);
        if joins {
            self.log.join(&answer.numbers);
        }
        self.log.take_in(answer.log, Some(answer.read), &mut steps);
        self.log.drop_old(now);
        steps
    }

    /// Returns whether the run is another than that of the last answer.
    fn take_in_run(&mut self, now: Moment, sent: Moment, answer: &Answer) -> bool {
        let seen = answer.seen.clone();
        if let Some(store) = &mut self.store
            && store.seen.run == answer.run
        {
            store.seen = seen;
            store.is_settled = sent >= store.settles;
            return false;
        }
        let settles = match self.store {
            None => (now + self.times.lease).saturating_sub(answer.age),
            // Only the own acquaintance counts: the time for which a replica has been up means nothing.
            Some(_) => now + self.times.lease,
        };
        self.store = Some(Store {
            seen,
            runs: self.runs() + 1,
            settles,
            is_settled: sent >= settles,
        });
        true
    }

    /// Draws the conclusions for the node's own tag.
    fn stand(
        &mut self,
        now: Moment,
        sent: Sent,
        answer: &Answer,
        fresh: &mut dyn FnMut() -> NodeTag,
        steps: &mut Vec<Step<C>>,
    ) {
        let is_late = self.lease.answered(sent.at, now, &self.times);
        if is_late {
            self.due = now;
        }
        // The question may have been for a tag that was given up meanwhile.
        if self.part == Part::Left || sent.tag != self.tag {
            return;
        }
        if self.lease.is_older(now, VERDICTS_KEPT) {
            return self.resign(fresh, now, steps);
        }
        match answer.standing {
            Standing::Dead => {
                // A claim also finds its tag dead where it is another node's, which has no verdict.
                if !sent.claims || answer.verdicts.contains(&self.tag) {
                    self.verdicts.learn(self.tag, now);
                }
                self.give_up(fresh, now, steps);
            }
            Standing::Unknown => {
                // The answer to a claim is never this one.
                if self.part == Part::Held {
                    self.part = Part::Lost;
                    self.due = now;
                }
            }
            Standing::Held => {
                if self.was_away(now, answer) {
                    return self.resign(fresh, now, steps);
                }
                if self.part == Part::Joining {
                    steps.push(Step::Joined(self.tag));
                }
                self.part = Part::Held;
                self.lease.renew(sent.at);
            }
        }
    }

    /// Whether others may be done with the tag, though a claim has just put it into the store.
    fn was_away(&self, now: Moment, answer: &Answer) -> bool {
        match self.part {
            // An earlier claim may have had its effect, and the tag a verdict that this run has lost.
            Part::Joining => self
                .claimed
                .is_some_and(|claimed| now >= claimed + self.times.lease),
            // The tag was not in the store when its run was as old as a lease: they may have called it nobody's.
            Part::Lost => self.lease.is_over(now, &self.times) && answer.age >= self.times.lease,
            Part::Held | Part::Left => false,
        }
    }

    /// The node is done with its tag, and takes another.
    fn give_up(
        &mut self,
        fresh: &mut dyn FnMut() -> NodeTag,
        now: Moment,
        steps: &mut Vec<Step<C>>,
    ) {
        self.take_another_tag(fresh);
        self.part = Part::Joining;
        self.lease = Lease::default();
        self.due = now;
        if self.verdicts.knows(self.tag) {
            // The store will refuse it, and perhaps the next one too.
            self.due += self.times.period;
        }
        steps.push(Step::GivenUp(self.tag));
    }

    /// The node ends its own tag, which may still be in the store: the next claim replaces it there, by its address.
    pub(super) fn resign(
        &mut self,
        fresh: &mut dyn FnMut() -> NodeTag,
        now: Moment,
        steps: &mut Vec<Step<C>>,
    ) {
        self.verdicts.learn(self.tag, now);
        self.give_up(fresh, now, steps);
    }

    pub(super) fn take_another_tag(&mut self, fresh: &mut dyn FnMut() -> NodeTag) {
        /// All tags of a slot may be dead. Then one of these is taken, and the store refuses it.
        const ATTEMPTS: u32 = 64;
        let former = self.tag;
        let taken = |tag| tag == former || self.membership.get(tag).is_some();
        let mut attempts = 0;
        self.tag = loop {
            let tag = fresh();
            attempts += 1;
            if !taken(tag) && (attempts > ATTEMPTS || !self.verdicts.knows(tag)) {
                break tag;
            }
        };
        self.claimed = None;
    }

    pub(super) fn learn(&mut self, now: Moment, tag: NodeTag, steps: &mut Vec<Step<C>>) {
        if tag != self.tag && self.verdicts.learn(tag, now) {
            self.membership.remove(tag);
            steps.push(Step::Gone(tag));
        }
    }

    /// Looks at the beats of the others, or begins to, `anew`.
    fn observe(
        &mut self,
        now: Moment,
        sent: Moment,
        anew: bool,
        answer: &Answer,
        cards: Vec<(NodeTag, C)>,
        steps: &mut Vec<Step<C>>,
    ) {
        let others = answer.beats.iter().copied();
        // A node that has a verdict, by what was learned beside this question or in a former run, is not a peer.
        let others = others.filter(|(tag, _)| *tag != self.tag && !self.verdicts.knows(*tag));
        let others = others.collect();
        self.membership
            .take_in(now, sent, anew, others, &self.times);
        for (tag, card) in cards {
            steps.extend(self.membership.set_card(tag, card));
        }
        if self.part != Part::Held {
            // An observer must itself be in touch.
            self.membership.forget_all_silence();
        }
    }
}
