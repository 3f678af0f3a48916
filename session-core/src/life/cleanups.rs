//! The cleanups of a manager: those under way, those owed, and the reports that shutdowns gather.
//!
//! Invariants:
//! 1. A session or group is in `owed` or `under_way` from the step that makes its end due until its cleanup has ended.
//!    The exception is a session that holds nothing: it has no cleanup.
//! 2. The lock is a leaf, taken under a session's state or its seat.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use tokio::sync::Notify;

use crate::life::event::Subject;
use crate::sync::Mutex;
use crate::values::report::CleanupReport;

pub(crate) struct Cleanups {
    state: Mutex<State>,
    /// Notified when a cleanup has ended.
    pub(crate) ended: Notify,
}

#[derive(Default)]
struct State {
    under_way: HashMap<u64, Subject>,
    owed: Vec<Subject>,
    /// The reports with problems since the first of the shutdowns under way began.
    gathered: Vec<(Subject, CleanupReport)>,
    shutdowns: usize,
    /// The number of sessions that these shutdowns have found active.
    shut_down: usize,
}

impl Cleanups {
    pub(crate) fn new() -> Self {
        Self {
            state: Mutex::new(State::default()),
            ended: Notify::new(),
        }
    }

    pub(crate) fn begin(&self, subject: Subject) {
        let mut state = self.state.lock();
        state.under_way.insert(subject.serial(), subject);
    }

    pub(crate) fn end(&self, subject: &Subject, report: &CleanupReport) {
        let ended = {
            let mut state = self.state.lock();
            if state.shutdowns > 0 && !report.is_clean() {
                state.gathered.push((subject.clone(), report.clone()));
            }
            state.under_way.remove(&subject.serial())
        };
        drop(ended);
        self.ended.notify_waiters();
    }

    pub(crate) fn are_under_way(&self) -> bool {
        let state = self.state.lock();
        !state.owed.is_empty() || !state.under_way.is_empty()
    }

    /// Whether the cleanup of one of these is under way or owed.
    pub(crate) fn are_any_of(&self, serials: &HashSet<u64>) -> bool {
        let state = self.state.lock();
        let mut owed = state.owed.iter().map(Subject::serial);
        owed.any(|serial| serials.contains(&serial))
            || serials
                .iter()
                .any(|serial| state.under_way.contains_key(serial))
    }

    /// Returns the sessions and groups whose cleanups are under way or owed.
    pub(crate) fn unfinished(&self) -> Vec<Subject> {
        let state = self.state.lock();
        let mut unfinished = state.owed.clone();
        for subject in state.under_way.values() {
            if !unfinished.contains(subject) {
                unfinished.push(subject.clone());
            }
        }
        unfinished
    }

    /// Starts to keep reports with problems, for a shutdown's own report.
    pub(crate) fn gather(&self) -> Gathering<'_> {
        let mut state = self.state.lock();
        state.shutdowns += 1;
        Gathering {
            cleanups: self,
            from: state.gathered.len(),
        }
    }
}

/// An end that is owed. A shutdown waits for it until this is dropped.
pub(crate) struct Owed {
    cleanups: Arc<Cleanups>,
    subject: Subject,
}

impl Owed {
    pub(crate) fn new(cleanups: &Arc<Cleanups>, subject: Subject) -> Self {
        cleanups.state.lock().owed.push(subject.clone());
        Self {
            cleanups: cleanups.clone(),
            subject,
        }
    }
}

impl Drop for Owed {
    fn drop(&mut self) {
        let cleanups = &self.cleanups;
        {
            let owed = &mut cleanups.state.lock().owed;
            if let Some(at) = owed.iter().position(|subject| *subject == self.subject) {
                owed.swap_remove(at);
            }
        }
        cleanups.ended.notify_waiters();
    }
}

/// One shutdown among several concurrent ones. It has all reports with problems since it began, and the number of
/// sessions that any of them has ended.
pub(crate) struct Gathering<'a> {
    cleanups: &'a Cleanups,
    from: usize,
}

impl Gathering<'_> {
    /// Adds the number of sessions that this shutdown has found active. Returns the number for all shutdowns.
    pub(crate) fn count(&self, sessions: usize) -> usize {
        let mut state = self.cleanups.state.lock();
        state.shut_down += sessions;
        state.shut_down
    }

    pub(crate) fn gathered(&self) -> Vec<(Subject, CleanupReport)> {
        self.cleanups.state.lock().gathered[self.from..].to_vec()
    }
}

impl Drop for Gathering<'_> {
    fn drop(&mut self) {
        let mut state = self.cleanups.state.lock();
        state.shutdowns -= 1;
        if state.shutdowns == 0 {
            state.shut_down = 0;
            let gathered = std::mem::take(&mut state.gathered);
            drop(state);
            drop(gathered);
        }
    }
}
