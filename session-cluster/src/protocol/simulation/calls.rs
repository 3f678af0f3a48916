//! The calls of a process to the store, their ways, and what follows from their replies.

use std::time::Duration;

use crate::directory::{Answer, CaughtUp, Position};
use crate::protocol::model_store::Address;
use crate::protocol::simulation::world::{Event, World, fresh};
use crate::protocol::{Append, Burial, Moment, Question, Reading, Step};

#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) process: usize,
    kind: Kind,
    sent: Moment,
}

#[derive(Clone, Debug)]
enum Kind {
    Sync(Question),
    Bury(Burial),
    Append(Append),
    CatchUp(Reading),
}

#[derive(Clone, Debug)]
pub(super) enum Reply {
    Sync(Answer),
    Bury(bool),
    Append(Option<Position>),
    CatchUp(CaughtUp),
}

impl World {
    /// Sends the process's next question.
    pub(super) fn ask(&mut self, index: usize) {
        #[expect(clippy::cast_precision_loss, reason = "a chance")]
        let chance = self.random(1000) as f64 / 1000.0;
        let process = &mut self.processes[index];
        let clock = process.clock(self.now);
        let question = process.node.question(clock, chance);
        let id = self.send(index, Kind::Sync(question));
        self.processes[index].question = Some(id);
    }

    /// Makes the process's next other call, if there is one.
    pub(super) fn call(&mut self, index: usize) {
        let now = self.now;
        let process = &mut self.processes[index];
        let node = &process.node;
        let kind = if let Some(burial) = node.burial() {
            Kind::Bury(burial)
        } else if let Some(append) = node.append() {
            Kind::Append(append)
        } else if let Some(reading) = node.reading().filter(|_| process.reads <= now) {
            let keeps = node.keeps_entries();
            process.reads = if keeps {
                now + Duration::from_secs(2)
            } else {
                Moment::MAX
            };
            Kind::CatchUp(reading)
        } else {
            return;
        };
        let id = self.send(index, kind);
        self.processes[index].call = Some(id);
    }

    fn send(&mut self, process: usize, kind: Kind) -> usize {
        let id = self.calls.len();
        let sent = self.now;
        self.calls.push(Call {
            process,
            kind,
            sent,
        });
        let is_unlucky = self.random(100) < self.loss;
        if is_unlucky {
            self.processes[process].in_touch = None;
        }
        match is_unlucky.then(|| self.random(2)) {
            // The call is lost.
            Some(0) => {}
            // It comes late, perhaps when the process no longer waits.
            Some(_) => {
                let delay = self.millis(6000);
                self.after(delay, Event::Arrive(id));
            }
            None => {
                let delay = Duration::from_millis(1) + self.millis(20);
                self.after(delay, Event::Arrive(id));
            }
        }
        self.after(self.times.store_timeout, Event::Timeout(id));
        id
    }

    /// A call reaches the store.
    pub(super) fn arrive(&mut self, id: usize) {
        let Call { process, kind, .. } = self.calls[id].clone();
        if self.store.is_down || self.processes[process].is_cut_off {
            return;
        }
        let now = self.now;
        let reply = match kind {
            Kind::Sync(question) => {
                let address = self.processes[process].address;
                Reply::Sync(self.store.sync(now, &question, address))
            }
            Kind::Bury(burial) => Reply::Bury(self.store.bury(now, &burial)),
            Kind::Append(append) => {
                let reply = Reply::Append(self.store.append(now, &append));
                for process in 0..self.processes.len() {
                    let delay = Duration::from_millis(1) + self.millis(20);
                    if self.random(2) == 0 {
                        self.after(delay, Event::Nudge(process));
                    }
                }
                reply
            }
            Kind::CatchUp(reading) => Reply::CatchUp(self.store.catch_up(&reading)),
        };
        self.note_store();
        // The answer is lost, though the call had its effect.
        if self.random(200) >= self.loss {
            let delay = Duration::from_millis(1) + self.millis(20);
            self.after(delay, Event::Reply(id, Box::new(reply)));
        } else {
            self.processes[process].in_touch = None;
        }
    }

    pub(super) fn time_out(&mut self, index: usize, id: usize) {
        let process = &mut self.processes[index];
        let clock = process.clock(self.now);
        if process.question == Some(id) {
            process.question = None;
            process.in_touch = None;
            process.node.failed(clock);
        } else if process.call == Some(id) {
            process.call = None;
            process.in_touch = None;
            process.node.call_failed();
        }
    }

    pub(super) fn reply(&mut self, index: usize, id: usize, reply: Reply) {
        let process = &mut self.processes[index];
        let clock = process.clock(self.now);
        if process.question != Some(id) && process.call != Some(id) {
            return;
        }
        let call = self.calls[id].clone();
        let is_answer = matches!(call.kind, Kind::Sync(_));
        let node = &mut process.node;
        let steps = match (call.kind, reply) {
            (Kind::Sync(question), Reply::Sync(answer)) => {
                process.question = None;
                if question
                    .seen
                    .as_ref()
                    .is_none_or(|seen| seen.run != answer.run)
                {
                    process.in_touch = None;
                }
                let run = answer.run.clone();
                if run.0 == self.store.run_name() {
                    process.in_touch.get_or_insert(self.now);
                }
                let card = |(tag, card): &(_, Vec<u8>)| {
                    let card = card.as_slice().try_into().expect("four bytes");
                    (*tag, Address::from_be_bytes(card))
                };
                let cards = answer.cards.iter().map(card).collect();
                node.answered(clock, answer, cards, &mut fresh(&mut self.tags))
            }
            (Kind::Bury(burial), Reply::Bury(is_dead)) => {
                process.call = None;
                node.buried(clock, burial, is_dead)
            }
            (Kind::Append(append), Reply::Append(place)) => {
                process.call = None;
                node.appended(clock, &append, place);
                Vec::new()
            }
            (Kind::CatchUp(reading), Reply::CatchUp(caught_up)) => {
                process.call = None;
                node.caught_up(&reading, caught_up)
            }
            (kind, reply) => panic!("{reply:?} to {kind:?}"),
        };
        self.take(index, steps);
        self.check_answered(index);
        if is_answer {
            self.wake_waiting(index, call.sent);
        }
    }

    /// Takes the steps as the keeper does.
    pub(super) fn take(&mut self, index: usize, steps: Vec<Step<Address>>) {
        for step in steps {
            let now = self.now;
            let process = &mut self.processes[index];
            match step {
                Step::Joined(tag) => {
                    process.joined = Some((tag, now));
                    self.check_joined(index, tag);
                }
                Step::GivenUp(tag) => {
                    assert_eq!(tag, process.node.tag(), "the next tag");
                    process.given_up += u32::from(process.joined.is_some());
                    process.joined = None;
                    process.sessions.clear();
                }
                Step::Appeared(tag, card) => {
                    let former = process.peers.insert(tag, card);
                    assert_eq!(former, None, "{tag} appeared twice");
                }
                Step::Changed(tag, card) => {
                    let former = process.peers.insert(tag, card);
                    assert!(former.is_some(), "{tag} changed before it appeared");
                }
                Step::Gone(tag) => {
                    process.peers.remove(&tag);
                }
                Step::Apply(entry) => self.apply(index, &entry),
            }
        }
    }
}
