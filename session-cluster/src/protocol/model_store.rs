//! A model of the store, by the words of the directory's trait, with the runs that a real one has.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use session_core::NodeTag;

use crate::directory::{
    Answer, Beat, CaughtUp, Entry, Position, Pulse, Run, Seen, Standing, VERDICTS_KEPT,
};
use crate::protocol::{Append, Burial, Moment, Question, Reading};

/// A node's address, and its card.
pub(super) type Address = u32;

#[derive(Debug, Default)]
pub(super) struct Store {
    pub(super) data: Data,
    /// Copies of the data before each change of the last seconds, for failovers.
    former: VecDeque<(Moment, Data)>,
    runs: u64,
    pub(super) started: Moment,
    pub(super) is_down: bool,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Data {
    pub(super) nodes: BTreeMap<NodeTag, Row>,
    /// The verdicts, with their times and their changes.
    pub(super) verdicts: BTreeMap<NodeTag, (Moment, u64)>,
    pub(super) log: Vec<Entry>,
    numbers: BTreeMap<NodeTag, (u64, Position)>,
    changes: u64,
}

#[derive(Clone, Debug)]
pub(super) struct Row {
    address: Address,
    pub(super) beat: Beat,
    /// The change with which the card came.
    change: u64,
    read: Position,
}

impl Store {
    fn run(&self) -> Run {
        Run(self.runs.to_string())
    }

    pub(super) fn run_name(&self) -> String {
        self.runs.to_string()
    }

    /// A new run with the same data, that of some time ago, or none.
    pub(super) fn start_run(&mut self, now: Moment, lost: Lost) {
        match lost {
            Lost::Nothing => {}
            Lost::All => self.data = Data::default(),
            Lost::Since(time) => {
                let after = self.former.iter().find(|(changed, _)| *changed > time);
                if let Some((_, data)) = after {
                    self.data = data.clone();
                }
            }
        }
        self.former.clear();
        self.runs += 1;
        self.started = now;
    }

    fn change(&mut self, now: Moment) {
        self.former.push_back((now, self.data.clone()));
        while let Some((changed, _)) = self.former.front()
            && *changed + Duration::from_secs(3) < now
        {
            self.former.pop_front();
        }
        let kept = |(time, _): &(Moment, u64)| *time + VERDICTS_KEPT > now;
        self.data.verdicts.retain(|_, verdict| kept(verdict));
    }

    pub(super) fn sync(&mut self, now: Moment, question: &Question, address: Address) -> Answer {
        self.change(now);
        let end = self.end();
        let run = self.run();
        let known = question.seen.as_ref().filter(|seen| seen.run == run);
        let read = match question.read {
            None => end,
            Some(read) if known.is_some() => read,
            Some(_) => Position::default(),
        };
        let standing = self.stand(now, question, address, read);
        let is_new = |change: u64| known.is_none_or(|seen| change > seen.changes);
        let data = &self.data;
        let beat = |row: &Row| Pulse {
            beat: row.beat,
            load: 0,
        };
        let cards = data.nodes.iter().filter(|(_, row)| is_new(row.change));
        let verdicts = data
            .verdicts
            .iter()
            .filter(|(_, (_, change))| is_new(*change));
        Answer {
            standing,
            run: run.clone(),
            age: now.saturating_sub(self.started),
            beats: data
                .nodes
                .iter()
                .map(|(tag, row)| (*tag, beat(row)))
                .collect(),
            cards: cards
                .map(|(tag, row)| (*tag, row.address.to_be_bytes().to_vec()))
                .collect(),
            verdicts: verdicts.map(|(tag, _)| *tag).collect(),
            complete: known.is_none(),
            numbers: match known {
                None => data
                    .numbers
                    .iter()
                    .map(|(tag, (number, _))| (*tag, *number))
                    .collect(),
                Some(_) => Vec::new(),
            },
            log: self.after(read),
            read: end,
            seen: Seen {
                run,
                changes: data.changes,
            },
        }
    }

    fn stand(
        &mut self,
        now: Moment,
        question: &Question,
        address: Address,
        read: Position,
    ) -> Standing {
        let tag = question.tag;
        if self.data.verdicts.contains_key(&tag) {
            return Standing::Dead;
        }
        let row = self.data.nodes.get(&tag);
        if !question.claims && row.is_none() {
            return Standing::Unknown;
        }
        if question.claims && row.is_some_and(|row| row.address != address) {
            return Standing::Dead;
        }
        if question.claims {
            let rows = self.data.nodes.iter();
            let displaced = rows.filter(|(other, row)| **other != tag && row.address == address);
            let displaced: Vec<_> = displaced.map(|(tag, _)| *tag).collect();
            for other in displaced {
                self.condemn(now, other);
            }
        }
        let row = self
            .data
            .nodes
            .get(&tag)
            .filter(|row| row.address == address);
        let change = row.map_or_else(
            || {
                self.data.changes += 1;
                self.data.changes
            },
            |row| row.change,
        );
        self.data.nodes.insert(
            tag,
            Row {
                address,
                beat: question.beat,
                change,
                read,
            },
        );
        Standing::Held
    }

    fn condemn(&mut self, now: Moment, tag: NodeTag) {
        self.data.nodes.remove(&tag);
        self.data.changes += 1;
        self.data.verdicts.insert(tag, (now, self.data.changes));
    }

    pub(super) fn bury(&mut self, now: Moment, burial: &Burial) -> bool {
        self.change(now);
        let row = self.data.nodes.get(&burial.tag);
        let is_other = burial
            .beat
            .is_some_and(|beat| row.is_some_and(|row| row.beat != beat));
        let is_dead = self.data.verdicts.contains_key(&burial.tag);
        if !is_dead && !is_other {
            self.condemn(now, burial.tag);
        }
        is_dead || !is_other
    }

    pub(super) fn append(&mut self, now: Moment, append: &Append) -> Option<Position> {
        if append.run != self.run() {
            return None;
        }
        self.change(now);
        if let Some((number, position)) = self.data.numbers.get(&append.by)
            && append.number <= *number
        {
            return Some(*position);
        }
        let position = Position(0, self.end().1 + 1);
        self.data
            .numbers
            .insert(append.by, (append.number, position));
        self.data.log.push(Entry {
            position,
            by: append.by,
            number: append.number,
            bytes: append.bytes.clone(),
        });
        Some(position)
    }

    pub(super) fn catch_up(&mut self, reading: &Reading) -> CaughtUp {
        let run = self.run();
        if reading.run != run {
            return CaughtUp {
                run,
                log: Vec::new(),
                readers: Vec::new(),
            };
        }
        if let Some(row) = self.data.nodes.get_mut(&reading.tag) {
            row.read = row.read.max(reading.read);
        }
        let readers = self.data.nodes.iter().map(|(tag, row)| (*tag, row.read));
        CaughtUp {
            run,
            readers: readers.collect(),
            log: self.after(reading.read),
        }
    }

    fn end(&self) -> Position {
        self.data
            .log
            .last()
            .map_or(Position::default(), |entry| entry.position)
    }

    fn after(&self, read: Position) -> Vec<Entry> {
        let log = self.data.log.iter();
        log.filter(|entry| entry.position > read).cloned().collect()
    }
}

/// The changes that a new run has lost.
#[derive(Clone, Copy, Debug)]
pub(super) enum Lost {
    Nothing,
    All,
    /// Those after this time.
    Since(Moment),
}

/// The tag with this number.
pub(super) fn tag(number: u32) -> NodeTag {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let digit = |shift: u32| DIGITS[(number >> shift) as usize % 64];
    NodeTag::decode(&[digit(18), digit(12), digit(6), digit(0)]).expect("four digits")
}
