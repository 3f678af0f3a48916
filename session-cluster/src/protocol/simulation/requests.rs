//! Clients and their sessions, and ended groups.

use session_core::NodeTag;

use crate::directory::Entry;
use crate::protocol::Knowledge;
use crate::protocol::simulation::process::State;
use crate::protocol::simulation::world::{Event, World};

#[derive(Clone, Copy, Debug)]
pub(super) struct Session {
    pub(super) tag: NodeTag,
    pub(super) group: u8,
    /// The number of groups that had been ended when it was created.
    pub(super) created_after: usize,
}

/// The session of a client that has none.
const NONE: usize = usize::MAX;

impl World {
    /// A client sends a request to any node.
    pub(super) fn send_request(&mut self) {
        let delay = self.millis(600);
        self.after(delay, Event::Client);
        let node = u8::try_from(self.random(5)).expect("small");
        let process = self.process_at(node);
        let recent = self.sessions.len().min(40) as u64;
        let session = match self.random(recent + 15) {
            back if back < recent => {
                self.sessions.len() - 1 - usize::try_from(back).expect("small")
            }
            _ => NONE,
        };
        self.after(
            self.times.store_timeout / 1000,
            Event::Request(process, session),
        );
        if !self.is_calm && self.random(100) == 0 {
            let group = u8::try_from(self.random(3)).expect("small");
            self.end_group(node, group);
        }
    }

    /// A client's request is at this process.
    pub(super) fn request(&mut self, index: usize, id: usize) {
        let Some(session) = self.sessions.get(id).copied() else {
            return self.stranger(index);
        };
        match self.processes[index].node.knows(session.tag) {
            Knowledge::Own if self.processes[index].sessions.contains(&id) => self.serve(index, id),
            Knowledge::Own => self.stranger(index),
            Knowledge::Dead => self.nobody(index, session.tag),
            Knowledge::Peer => {
                let address = self.processes[index].peers[&session.tag];
                let delay = self.millis(20);
                self.after(delay, Event::Hop(self.at_address(address), id));
            }
            Knowledge::Unreadable => {}
            Knowledge::Unknown => {
                let process = &mut self.processes[index];
                let clock = process.clock(self.now);
                process.node.hurry(clock);
                process.waiting.push((self.now, id));
            }
        }
    }

    /// A request that another process has forwarded is at this one.
    pub(super) fn hop(&mut self, index: usize, id: usize) {
        if self.processes[index].sessions.contains(&id) {
            self.serve(index, id);
        }
    }

    /// Looks again at the requests that wait for a question that was sent after they came.
    pub(super) fn wake_waiting(&mut self, index: usize, sent: std::time::Duration) {
        let waiting = std::mem::take(&mut self.processes[index].waiting);
        for (since, id) in waiting {
            let process = &mut self.processes[index];
            if self.now > since + self.times.patience {
                continue;
            }
            if sent < since {
                process.waiting.push((since, id));
                continue;
            }
            let tag = self.sessions[id].tag;
            match process.node.knows(tag) {
                Knowledge::Unknown if process.node.is_settled() => self.nobody(index, tag),
                Knowledge::Unknown => {}
                _ => self.request(index, id),
            }
        }
    }

    fn serve(&mut self, index: usize, id: usize) {
        if self.processes[index].is_open(self.now) {
            self.check_act(index, self.sessions[id].tag);
            self.check_served(index, id);
        }
    }

    /// The tag is nobody's: the client is a stranger.
    fn nobody(&mut self, index: usize, tag: NodeTag) {
        self.check_nobody(tag);
        self.stranger(index);
    }

    fn stranger(&mut self, index: usize) {
        if self.processes[index].is_open(self.now) {
            let tag = self.processes[index].node.tag();
            self.check_act(index, tag);
            let group = u8::try_from(self.random(3)).expect("small");
            let id = self.sessions.len();
            self.sessions.push(Session {
                tag,
                group,
                created_after: self.checks.ends.len(),
            });
            self.processes[index].sessions.insert(id);
        }
    }

    pub(super) fn end_group(&mut self, node: u8, group: u8) {
        let index = self.process_at(node);
        let process = &mut self.processes[index];
        if process.state != State::Running || process.joined.is_none() || process.has_left {
            return;
        }
        let clock = process.clock(self.now);
        let tag = process.node.tag();
        let number = process.node.end(clock, vec![group]);
        process.reads = self.now;
        self.end_sessions(index, group);
        self.note_end(index, tag, number, group);
        self.pump(index);
    }

    pub(super) fn apply(&mut self, index: usize, entry: &Entry) {
        self.check_applied(index, entry);
        self.end_sessions(index, entry.bytes[0]);
    }

    fn end_sessions(&mut self, index: usize, group: u8) {
        let sessions = &self.sessions;
        let own = &mut self.processes[index].sessions;
        own.retain(|id| sessions[*id].group != group);
    }
}
