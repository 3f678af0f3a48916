//! The values that a session has to close, in the order of publication.
//!
//! Invariants:
//! 1. The places rise. A value is found by its place, so that one of many is taken out quickly.
//! 2. At least every second entry still has its value.

use crate::values::value::Held;

#[derive(Default)]
pub(crate) struct Published {
    entries: Vec<(u64, Option<Held>)>,
    removed: usize,
    next: u64,
}

impl Published {
    /// Adds the value, unless nothing happens when it is closed. Returns its place.
    pub(crate) fn push(&mut self, held: &Held) -> Option<u64> {
        if held.is_trivial() {
            return None;
        }
        let place = self.next;
        self.next += 1;
        self.entries.push((place, Some(held.again())));
        Some(place)
    }

    /// Takes the value at this place out.
    pub(crate) fn remove(&mut self, place: u64) -> Option<Held> {
        let at = self.entries.binary_search_by_key(&place, |entry| entry.0);
        let held = self.entries[at.ok()?].1.take()?;
        self.removed += 1;
        if self.removed * 2 > self.entries.len() {
            self.entries.retain(|(_, held)| held.is_some());
            self.removed = 0;
        }
        Some(held)
    }

    /// Takes the value published last out.
    pub(crate) fn pop(&mut self) -> Option<Held> {
        loop {
            match self.entries.pop()?.1 {
                None => self.removed -= 1,
                held => return held,
            }
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.len() == self.removed
    }
}

#[cfg(all(test, not(session_shuttle)))]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::sync::runtime::Runtime;
    use crate::values::about::About;
    use crate::values::ledger::{Closer, Ledger};
    use crate::values::value::{PropertyRef, Tag};

    fn held(number: usize) -> Held {
        let closer = Closer {
            runtime: Runtime::current(),
            close_timeout: Duration::ZERO,
        };
        let ledger = || Arc::new(Ledger::new(Arc::new(closer)));
        let about = About::kind("number", "");
        PropertyRef::new(vec![number], None, Tag { about, born: 0 }, ledger).hold()
    }

    #[tokio::test]
    async fn r13_what_is_left_of_many_is_taken_last_first() {
        let mut published = Published::default();
        let places: Vec<_> = (0..1000)
            .map(|number| published.push(&held(number)).unwrap())
            .collect();
        let is_left = |number: &usize| number.is_multiple_of(7);
        for number in (0..1000).filter(|number| !is_left(number)) {
            let removed = published.remove(places[number]).unwrap();
            assert_eq!(*removed.handle::<Vec<usize>>().unwrap(), [number]);
            assert!(published.remove(places[number]).is_none());
        }
        assert!(published.entries.len() < 2 * 143 + 1);
        for number in (0..1000).rev().filter(is_left) {
            assert!(!published.is_empty());
            let last = published.pop().unwrap();
            assert_eq!(*last.handle::<Vec<usize>>().unwrap(), [number]);
        }
        assert!(published.is_empty() && published.pop().is_none());
    }
}
