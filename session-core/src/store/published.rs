//! The values that a session has to close, in the order of publication.
//!
//! Invariants:
//! 1. The numbers rise. A value is found by its number, so that one of many is taken out quickly.
//! 2. The last entry has its value. Entries before it may be empty; they go before the list grows.

use crate::values::value::Held;

#[derive(Default)]
pub(crate) struct Published(Vec<(u64, Held)>);

impl Published {
    /// Adds the value under a number that is higher than all before.
    pub(crate) fn push(&mut self, number: u64, held: Held) {
        let entries = &mut self.0;
        if entries.len() == entries.capacity() {
            entries.retain(|(_, held)| !held.is_empty());
            // By doubling, unless some room has come about: so few pushes look at all entries.
            if entries.len() > entries.capacity() / 4 * 3 {
                entries.reserve(entries.capacity() - entries.len() + 1);
            }
        }
        entries.push((number, held));
    }

    /// Takes the value with this number out.
    pub(crate) fn remove(&mut self, number: u64) -> Option<Held> {
        let at = self.0.binary_search_by_key(&number, |entry| entry.0);
        let held = self.0[at.ok()?].1.take()?;
        self.trim();
        Some(held)
    }

    /// Takes the value published last out.
    pub(crate) fn pop(&mut self) -> Option<Held> {
        let (_, last) = self.0.pop()?;
        self.trim();
        Some(last)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn trim(&mut self) {
        while self.0.pop_if(|(_, held)| held.is_empty()).is_some() {}
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

    fn held(number: u64) -> Held {
        let closer = Closer {
            runtime: Runtime::current(),
            close_timeout: Duration::ZERO,
        };
        let ledger = || Arc::new(Ledger::new(Arc::new(closer)));
        let about = About::kind("number", "");
        PropertyRef::new(vec![number], None, Tag { about, born: 0 }, ledger).hold()
    }

    #[tokio::test]
    async fn r13_many_values_of_which_most_are_removed_are_closed_last_first() {
        const VALUES: u64 = 1000;
        let mut published = Published::default();
        let is_left = |number: &u64| number.is_multiple_of(7);
        for round in 0..3 {
            let numbers = round * VALUES..(round + 1) * VALUES;
            for number in numbers.clone() {
                published.push(number, held(number));
            }
            for number in numbers.filter(|number| !is_left(number)) {
                let removed = published.remove(number).unwrap();
                assert_eq!(*removed.handle::<Vec<u64>>().unwrap(), [number]);
                assert!(published.remove(number).is_none());
            }
        }
        assert!(published.0.capacity() < 3000, "removed values take room");
        for number in (0..3 * VALUES).rev().filter(is_left) {
            assert!(!published.is_empty());
            let last = published.pop().unwrap();
            assert_eq!(*last.handle::<Vec<u64>>().unwrap(), [number]);
        }
        assert!(published.is_empty() && published.pop().is_none());
    }
}
