//! The world: virtual time, the events that are to happen, and all that is in it.

use std::collections::BTreeMap;
use std::time::Duration;

use session_core::NodeTag;

use crate::protocol::model_store::{self, Address, Store};
use crate::protocol::simulation::calls::{Call, Reply};
use crate::protocol::simulation::checks::Checks;
use crate::protocol::simulation::faults::Restart;
use crate::protocol::simulation::process::{Process, State};
use crate::protocol::simulation::requests::Session;
use crate::protocol::{Moment, Node, Step};
use crate::times::{Times, WhenCutOff};

#[derive(Clone, Debug)]
pub(super) enum Event {
    Wake(usize),
    /// A call reaches the store.
    Arrive(usize),
    /// The store's reply reaches the process.
    Reply(usize, Box<Reply>),
    Timeout(usize),
    /// A client sends a request.
    Client,
    /// A request is at a process: one of a client, or one that another process has forwarded.
    Request(usize, usize),
    Hop(usize, usize),
    Nudge(usize),
    StoreUp(Restart),
    Start(Address),
    Resume(usize),
    Reconnect(usize),
    LossEnds,
}

pub(super) struct World {
    pub(super) now: Moment,
    pub(super) times: Times,
    pub(super) when_cut_off: WhenCutOff,
    pub(super) store: Store,
    pub(super) down_since: Moment,
    /// The time since which every observer has started anew.
    pub(super) anew: Moment,
    /// All that were ever started.
    pub(super) processes: Vec<Process>,
    /// The last process at each address.
    at: Vec<usize>,
    pub(super) calls: Vec<Call>,
    pub(super) sessions: Vec<Session>,
    /// The percentage of calls that are lost or late.
    pub(super) loss: u64,
    /// There are no more faults.
    pub(super) is_calm: bool,
    pub(super) checks: Checks,
    events: BTreeMap<(Moment, u64), Event>,
    number: u64,
    pub(super) tags: u32,
    random: u64,
}

impl World {
    pub(super) fn new(nodes: u32, seed: u64, when_cut_off: WhenCutOff) -> Self {
        let mut world = Self {
            // Long after the start of the store, or near it.
            now: Duration::from_secs(if seed.is_multiple_of(2) { 1_000 } else { 1 }),
            times: Times::default(),
            when_cut_off,
            store: Store::default(),
            down_since: Moment::ZERO,
            anew: Moment::ZERO,
            processes: Vec::new(),
            at: Vec::new(),
            calls: Vec::new(),
            sessions: Vec::new(),
            loss: 0,
            is_calm: false,
            checks: Checks::default(),
            events: BTreeMap::new(),
            number: 0,
            tags: 0,
            random: seed,
        };
        for address in 0..nodes {
            world.at.push(usize::MAX);
            world.start(address);
        }
        world.after(Duration::ZERO, Event::Client);
        world
    }

    /// Returns a number below this one.
    pub(super) fn random(&mut self, below: u64) -> u64 {
        self.random = self.random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.random ^ (self.random >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % below
    }

    pub(super) fn millis(&mut self, below: u64) -> Duration {
        Duration::from_millis(self.random(below))
    }

    pub(super) fn after(&mut self, delay: Duration, event: Event) {
        self.number += 1;
        self.events.insert((self.now + delay, self.number), event);
    }

    pub(super) fn run_for(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(entry) = self.events.first_entry()
            && entry.key().0 <= end
        {
            let ((time, _), event) = entry.remove_entry();
            self.now = time;
            self.happen(event);
        }
        self.now = end;
    }

    fn happen(&mut self, event: Event) {
        let process = match &event {
            Event::Wake(process)
            | Event::Request(process, _)
            | Event::Hop(process, _)
            | Event::Nudge(process) => Some(*process),
            Event::Reply(call, _) | Event::Timeout(call) => Some(self.calls[*call].process),
            _ => None,
        };
        if let Some(process) = process {
            match self.processes[process].state {
                State::Running => self.happen_at(process, event),
                State::Paused => self.processes[process].missed.push(event),
                State::Dead => {}
            }
            return;
        }
        match event {
            Event::Arrive(call) => self.arrive(call),
            Event::Client => self.send_request(),
            Event::StoreUp(restart) if self.store.is_down => self.store_up(restart),
            Event::Start(address) => self.start(address),
            Event::Resume(process) => self.resume(process),
            Event::Reconnect(process) => self.reconnect(process),
            Event::LossEnds => self.loss = 0,
            _ => {}
        }
    }

    fn happen_at(&mut self, process: usize, event: Event) {
        match event {
            Event::Wake(_) if self.processes[process].wakes > self.now => return,
            Event::Reply(call, reply) => self.reply(process, call, *reply),
            Event::Timeout(call) => self.time_out(process, call),
            Event::Request(_, session) => self.request(process, session),
            Event::Hop(_, session) => self.hop(process, session),
            Event::Nudge(_) => self.processes[process].reads = self.now,
            _ => {}
        }
        self.pump(process);
    }

    /// The keeper's turn.
    pub(super) fn pump(&mut self, index: usize) {
        self.lapse(index);
        let now = self.now;
        let process = &mut self.processes[index];
        let clock = process.clock(now);
        if process.question.is_none() && process.node.due() <= clock {
            self.ask(index);
        }
        if self.processes[index].call.is_none() {
            self.call(index);
        }
        let process = &self.processes[index];
        let node = &process.node;
        // The end of what is under way wakes it as well.
        let mut wakes = node.lapses().unwrap_or(Moment::MAX);
        if process.question.is_none() {
            wakes = wakes.min(node.due());
        }
        if process.call.is_none() && node.keeps_entries() {
            wakes = wakes.min(process.clock(process.reads.max(process.started)));
        }
        if wakes == Moment::MAX {
            return;
        }
        let delay = wakes.saturating_sub(clock).max(Duration::from_millis(1));
        let wakes = now + delay;
        if self.processes[index].wakes <= now || wakes < self.processes[index].wakes {
            self.processes[index].wakes = wakes;
            self.after(delay, Event::Wake(index));
        }
    }

    fn lapse(&mut self, index: usize) {
        let process = &mut self.processes[index];
        let clock = process.clock(self.now);
        let steps: Vec<Step<_>> = process.node.lapse(clock, &mut fresh(&mut self.tags));
        self.take(index, steps);
    }

    fn start(&mut self, address: Address) {
        let tag = self.fresh();
        let node = Node::new(self.times, self.when_cut_off, tag);
        let index = self.processes.len();
        let at = &mut self.at[address as usize];
        let former = std::mem::replace(at, index);
        if let Some(former) = self.processes.get_mut(former) {
            former.state = State::Dead;
        }
        self.processes.push(Process::new(node, address, self.now));
        self.pump(index);
    }

    pub(super) fn fresh(&mut self) -> NodeTag {
        fresh(&mut self.tags)()
    }

    pub(super) fn address(&self, node: u8) -> Address {
        Address::from(node) % u32::try_from(self.at.len()).expect("a few")
    }

    pub(super) fn process_at(&self, node: u8) -> usize {
        self.at[self.address(node) as usize]
    }

    pub(super) fn at_address(&self, address: Address) -> usize {
        self.at[address as usize]
    }

    pub(super) fn store_down(&mut self) {
        if !self.store.is_down {
            self.store.is_down = true;
            self.down_since = self.now;
            for process in &mut self.processes {
                process.in_touch = None;
            }
        }
    }

    /// The process asks now, if it may.
    pub(super) fn hurry(&mut self, index: usize) {
        let process = &mut self.processes[index];
        let clock = process.clock(self.now);
        process.node.hurry(clock);
        self.pump(index);
    }

    pub(super) fn pause(&mut self, process: usize) {
        let process = &mut self.processes[process];
        process.state = State::Paused;
        process.paused = self.now;
        process.in_touch = None;
    }

    pub(super) fn resume(&mut self, index: usize) {
        let now = self.now;
        let noticed = self.times.asleep() + self.times.store_timeout;
        let process = &mut self.processes[index];
        if process.state != State::Paused {
            return;
        }
        process.state = State::Running;
        if now > process.paused + noticed {
            process.woke = Some(now);
        }
        process.wakes = now;
        let mut missed = std::mem::take(&mut process.missed);
        missed.push(Event::Wake(index));
        while !missed.is_empty() {
            let next = self.random(missed.len() as u64);
            let event = missed.swap_remove(usize::try_from(next).expect("small"));
            self.happen_at(index, event);
        }
    }

    pub(super) fn kill(&mut self, node: u8) {
        let process = self.process_at(node);
        self.processes[process].state = State::Dead;
    }

    pub(super) fn cut_off(&mut self, process: usize) {
        self.processes[process].is_cut_off = true;
        self.processes[process].in_touch = None;
    }

    pub(super) fn reconnect(&mut self, process: usize) {
        self.processes[process].is_cut_off = false;
    }

    pub(super) fn leave(&mut self, node: u8) {
        let index = self.process_at(node);
        let process = &mut self.processes[index];
        if process.state == State::Running {
            process.has_left = true;
            process.sessions.clear();
            let clock = process.clock(self.now);
            process.node.leave(clock, &mut fresh(&mut self.tags));
            self.pump(index);
        }
    }
}

/// Tags, each a new one.
pub(super) fn fresh(tags: &mut u32) -> impl FnMut() -> NodeTag + '_ {
    || {
        *tags += 1;
        // Their order says nothing of their age.
        model_store::tag(tags.wrapping_mul(0x9E_3779) % (1 << 24))
    }
}
