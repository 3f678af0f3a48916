//! The simple model: the expected result of a program, one step at a time.

use std::collections::{BTreeMap, HashMap};

use crate::probe::{End, Holder};
use crate::program::Close;

/// The contents of a session or group.
#[derive(Default)]
struct Held {
    /// By key. The list of all values is in the order of publication.
    properties: BTreeMap<usize, u32>,
    published: Vec<u32>,
    owned: Vec<u32>,
    /// The guards of requests inside. A group has one for each session that left it with requests inside.
    inside: Vec<usize>,
}

/// Requests that were inside a session when it left a group. The group's drain waits for them as for one.
struct Departure {
    group: usize,
    guards: Vec<usize>,
    number: usize,
}

#[derive(Default)]
pub(crate) struct Model {
    held: HashMap<Holder, Held>,
    /// The group of each session.
    group: HashMap<usize, usize>,
    closes: HashMap<u32, (Holder, Close)>,
    /// Handles that the program keeps, by value.
    handles: HashMap<u32, usize>,
    departures: Vec<Departure>,
    numbers: usize,
    pub(crate) ends: HashMap<Holder, Vec<End>>,
}

/// The expected report.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Expected {
    pub(crate) holder: Holder,
    pub(crate) closed: usize,
    pub(crate) still_held: usize,
}

impl Model {
    pub(crate) fn is_active(&self, holder: Holder) -> bool {
        self.held.contains_key(&holder)
    }

    pub(crate) fn create(&mut self, session: usize, group: Option<usize>) {
        self.held.insert(Holder::Session(session), Held::default());
        if let Some(group) = group {
            self.enter_group(session, group);
        }
    }

    fn enter_group(&mut self, session: usize, group: usize) {
        self.group.insert(session, group);
        self.held.entry(Holder::Group(group)).or_default();
    }

    /// Moves a session. Returns the group that ends by it.
    pub(crate) fn join(&mut self, session: usize, group: usize) -> Vec<Expected> {
        if self.group.get(&session) == Some(&group) {
            return Vec::new();
        }
        let old = self.group.remove(&session);
        let guards = self.held[&Holder::Session(session)].inside.clone();
        self.enter_group(session, group);
        if let Some(old) = old
            && !guards.is_empty()
        {
            let number = self.number();
            self.held
                .get_mut(&Holder::Group(old))
                .expect("it had a session")
                .inside
                .push(number);
            self.departures.push(Departure {
                group: old,
                guards,
                number,
            });
        }
        old.and_then(|old| self.end_if_empty(old))
            .into_iter()
            .collect()
    }

    fn number(&mut self) -> usize {
        self.numbers += 1;
        self.numbers
    }

    pub(crate) fn sessions_of(&self, group: usize) -> Vec<usize> {
        let own = self.group.iter().filter(|(_, own)| **own == group);
        own.map(|(session, _)| *session).collect()
    }

    pub(crate) fn at(&self, holder: Holder, key: usize) -> Option<u32> {
        self.held.get(&holder)?.properties.get(&key).copied()
    }

    pub(crate) fn insert(&mut self, holder: Holder, key: usize, number: u32, close: Close) {
        self.closes.insert(number, (holder, close));
        let held = self.held.get_mut(&holder).expect("it is active");
        held.properties.insert(key, number);
        held.published.push(number);
    }

    /// Takes a property out. It ends now, unless a handle is kept.
    pub(crate) fn remove(&mut self, holder: Holder, key: usize) {
        let held = self.held.get_mut(&holder).expect("it is active");
        if let Some(number) = held.properties.remove(&key) {
            held.published.retain(|other| *other != number);
            self.end_unless_kept(number);
        }
    }

    pub(crate) fn hold(&mut self, number: u32) {
        *self.handles.entry(number).or_default() += 1;
    }

    pub(crate) fn let_go(&mut self, number: u32) {
        let handles = self.handles.get_mut(&number).expect("it is kept");
        *handles -= 1;
        let listed = self
            .held
            .values()
            .any(|held| held.published.contains(&number));
        if !listed {
            self.end_unless_kept(number);
        }
    }

    pub(crate) fn own(&mut self, holder: Holder, number: u32) {
        self.closes.insert(number, (holder, Close::Drop));
        self.held
            .get_mut(&holder)
            .expect("it is active")
            .owned
            .push(number);
    }

    /// Takes an owned value out. Returns whether it was there.
    pub(crate) fn disown(&mut self, holder: Holder, number: u32, dropped: bool) -> bool {
        let Some(held) = self.held.get_mut(&holder) else {
            return false;
        };
        let Some(at) = held.owned.iter().position(|own| *own == number) else {
            return false;
        };
        held.owned.remove(at);
        if dropped {
            self.end(number);
        }
        true
    }

    /// Lets a request enter. Returns the guard's number.
    pub(crate) fn enter(&mut self, session: usize) -> usize {
        let number = self.number();
        self.held
            .get_mut(&Holder::Session(session))
            .expect("it is active")
            .inside
            .push(number);
        number
    }

    pub(crate) fn leave(&mut self, guard: usize) {
        for held in self.held.values_mut() {
            held.inside.retain(|other| *other != guard);
        }
        for departure in &mut self.departures {
            departure.guards.retain(|other| *other != guard);
        }
        for over in self
            .departures
            .extract_if(.., |departure| departure.guards.is_empty())
        {
            if let Some(held) = self.held.get_mut(&Holder::Group(over.group)) {
                held.inside.retain(|other| *other != over.number);
            }
        }
    }

    /// Ends a session. Returns the expected reports, including its group's if that ends by it.
    pub(crate) fn end_session(&mut self, session: usize) -> Vec<Expected> {
        let mut expected = vec![self.end_holder(Holder::Session(session))];
        expected.extend(
            self.group
                .remove(&session)
                .and_then(|group| self.end_if_empty(group)),
        );
        expected
    }

    fn end_if_empty(&mut self, group: usize) -> Option<Expected> {
        self.sessions_of(group)
            .is_empty()
            .then(|| self.end_holder(Holder::Group(group)))
    }

    fn end_holder(&mut self, holder: Holder) -> Expected {
        let mut held = self.held.remove(&holder).expect("it is active");
        let mut expected = Expected {
            holder,
            closed: 0,
            still_held: held.inside.len(),
        };
        while let Some(number) = held.owned.pop() {
            self.end(number);
            expected.closed += 1;
        }
        while let Some(number) = held.published.pop() {
            if self.end_unless_kept(number) {
                expected.closed += 1;
            } else {
                expected.still_held += 1;
            }
        }
        expected
    }

    fn end_unless_kept(&mut self, number: u32) -> bool {
        let kept = self
            .handles
            .get(&number)
            .is_some_and(|handles| *handles > 0);
        if !kept {
            self.end(number);
        }
        !kept
    }

    fn end(&mut self, number: u32) {
        let (holder, close) = self.closes[&number];
        let ends = self.ends.entry(holder).or_default();
        if close != Close::Drop {
            ends.push(End::Closed(number));
        }
        ends.push(End::Dropped(number));
    }
}
