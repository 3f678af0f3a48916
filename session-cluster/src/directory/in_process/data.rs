//! The data of one run, and the steps of the calls on it.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::time::Duration;

use session_core::NodeTag;
use tokio::time::Instant;

use crate::directory::{
    Answer, Beat, CaughtUp, Entry, Position, Pulse, Report, Run, Seen, Standing, VERDICTS_KEPT,
};

#[derive(Clone, Default)]
pub(super) struct Data {
    nodes: HashMap<NodeTag, Node>,
    verdicts: HashMap<NodeTag, Verdict>,
    log: BTreeMap<Position, Logged>,
    /// The number and the place of the last entry of each node in the log.
    last: HashMap<NodeTag, (u64, Position)>,
    /// The place of the last entry that was ever in the log.
    end: Position,
    /// The number of changes of cards and of verdicts.
    changes: u64,
}

#[derive(Clone)]
struct Node {
    address: SocketAddr,
    pulse: Pulse,
    card: Vec<u8>,
    /// The number of the card's last change.
    changed: u64,
    read: Position,
}

#[derive(Clone)]
struct Verdict {
    number: u64,
    at: Instant,
}

#[derive(Clone)]
struct Logged {
    by: NodeTag,
    number: u64,
    bytes: Vec<u8>,
    at: Instant,
}

impl Data {
    pub(super) fn sync(&mut self, report: &Report<'_>, run: Run, age: Duration) -> Answer {
        let seen = report.seen.filter(|seen| seen.run == run);
        let after = match report.read {
            None => self.end,
            Some(read) if seen.is_some() => read,
            Some(_) => Position::default(),
        };
        let standing = self.stand(report, after);
        let since = seen.map_or(0, |seen| seen.changes);
        let cards = self.nodes.iter().filter(|(_, node)| node.changed > since);
        let cards = cards.map(|(tag, node)| (*tag, node.card.clone()));
        let verdicts = self.verdicts.iter();
        let verdicts = verdicts.filter(|(_, verdict)| verdict.number > since);
        let numbers = self.last.iter().map(|(tag, (number, _))| (*tag, *number));
        Answer {
            standing,
            age,
            beats: self
                .nodes
                .iter()
                .map(|(tag, node)| (*tag, node.pulse))
                .collect(),
            cards: cards.collect(),
            verdicts: verdicts.map(|(tag, _)| *tag).collect(),
            complete: seen.is_none(),
            numbers: numbers.filter(|_| seen.is_none()).collect(),
            log: self.log_after(after),
            read: self.end,
            seen: Seen {
                run: run.clone(),
                changes: self.changes,
            },
            run,
        }
    }

    fn stand(&mut self, report: &Report<'_>, read: Position) -> Standing {
        if self.verdicts.contains_key(&report.tag) {
            return Standing::Dead;
        }
        let node = self.nodes.get(&report.tag);
        match node {
            None if !report.claims => return Standing::Unknown,
            Some(node) if report.claims && node.address != report.address => return Standing::Dead,
            _ => {}
        }
        let is_late = node.is_some_and(|node| node.pulse.beat > report.beat);
        if report.claims {
            let nodes = self.nodes.iter();
            let others =
                nodes.filter(|(tag, node)| **tag != report.tag && node.address == report.address);
            for other in others.map(|(tag, _)| *tag).collect::<Vec<_>>() {
                self.give_up(other);
            }
        }
        if !is_late {
            self.put(report, read);
        }
        Standing::Held
    }

    fn put(&mut self, report: &Report<'_>, read: Position) {
        let node = self.nodes.get(&report.tag);
        let address = match node {
            Some(node) if !report.claims => node.address,
            _ => report.address,
        };
        let changed = match node.filter(|node| node.card == report.card) {
            Some(node) => node.changed,
            None => self.change(),
        };
        let node = Node {
            address,
            pulse: Pulse {
                beat: report.beat,
                load: report.load,
            },
            card: report.card.to_vec(),
            changed,
            read,
        };
        self.nodes.insert(report.tag, node);
    }

    pub(super) fn bury(&mut self, tag: NodeTag, beat: Option<Beat>) -> bool {
        let node = self.nodes.get(&tag);
        if beat.is_some_and(|beat| node.is_some_and(|node| node.pulse.beat != beat)) {
            return false;
        }
        self.give_up(tag);
        true
    }

    fn give_up(&mut self, tag: NodeTag) {
        self.nodes.remove(&tag);
        if !self.verdicts.contains_key(&tag) {
            let number = self.change();
            let at = Instant::now();
            self.verdicts.insert(tag, Verdict { number, at });
        }
    }

    pub(super) fn append(&mut self, runs: u64, by: NodeTag, number: u64, bytes: &[u8]) -> Position {
        if let Some((last, position)) = self.last.get(&by)
            && *last >= number
        {
            return *position;
        }
        // The run's number makes a place of an earlier run one before all places of this one.
        self.end = Position(runs, self.end.1 + 1);
        let entry = Logged {
            by,
            number,
            bytes: bytes.to_vec(),
            at: Instant::now(),
        };
        self.log.insert(self.end, entry);
        self.last.insert(by, (number, self.end));
        self.end
    }

    pub(super) fn catch_up(
        &mut self,
        tag: NodeTag,
        run: Run,
        read: Position,
        readers: bool,
    ) -> CaughtUp {
        if let Some(node) = self.nodes.get_mut(&tag) {
            node.read = read;
        }
        let nodes = self.nodes.iter().filter(|_| readers);
        CaughtUp {
            run,
            log: self.log_after(read),
            readers: nodes.map(|(tag, node)| (*tag, node.read)).collect(),
        }
    }

    /// Drops the verdicts and the part of the log that have been kept for long enough.
    pub(super) fn prune(&mut self, now: Instant) {
        let is_kept = |at: Instant| now.duration_since(at) < VERDICTS_KEPT;
        self.verdicts.retain(|_, verdict| is_kept(verdict.at));
        self.log.retain(|_, entry| is_kept(entry.at));
        let log = &self.log;
        self.last
            .retain(|_, (_, position)| log.contains_key(position));
    }

    fn log_after(&self, position: Position) -> Vec<Entry> {
        let after = self.log.iter().filter(|(place, _)| **place > position);
        after
            .map(|(position, entry)| Entry {
                position: *position,
                by: entry.by,
                number: entry.number,
                bytes: entry.bytes.clone(),
            })
            .collect()
    }

    fn change(&mut self) -> u64 {
        self.changes += 1;
        self.changes
    }
}
