//! The steps of a program that concern values. Each does one thing to the sessions and to the model, and compares.

use session_core::Refused;

use crate::probe::{End, Holder, Probe, close, close_later};
use crate::program::Close;
use crate::sequential::{KEYS, World};

impl World {
    pub(crate) fn insert(&mut self, holder: Holder, key: usize, how: Close) {
        let Some(found) = self.find(holder) else {
            return;
        };
        let probe = self.log.probe(holder);
        let number = probe.number;
        let inserted = match how {
            Close::Drop => found.properties().insert(&KEYS[key], probe),
            Close::Hook => found.properties().insert_with(&KEYS[key], probe, close),
            Close::AsyncHook => found
                .properties()
                .insert_with(&KEYS[key], probe, close_later),
        };
        match inserted {
            Ok(handle) => {
                assert_eq!(handle.number, number);
                assert!(self.model.at(holder, key).is_none());
                self.model.insert(holder, key, number, how);
            }
            Err(Refused::AlreadyPresent(probe)) => {
                assert!(self.model.at(holder, key).is_some());
                self.refused(holder, probe);
            }
            Err(Refused::SessionEnded(probe)) => {
                assert!(!self.model.is_active(holder));
                self.refused(holder, probe);
            }
            Err(other) => panic!("{other:?}"),
        }
    }

    pub(crate) fn replace(&mut self, holder: Holder, key: usize, how: Close) {
        let Some(found) = self.find(holder) else {
            return;
        };
        let probe = self.log.probe(holder);
        let number = probe.number;
        let replaced = match how {
            Close::Drop => found.properties().replace(&KEYS[key], probe),
            Close::Hook => found.properties().replace_with(&KEYS[key], probe, close),
            Close::AsyncHook => found
                .properties()
                .replace_with(&KEYS[key], probe, close_later),
        };
        match replaced {
            Ok(old) => {
                assert_eq!(
                    old.as_ref().map(|old| old.number),
                    self.model.at(holder, key)
                );
                drop(old);
                self.model.remove(holder, key);
                self.model.insert(holder, key, number, how);
            }
            Err(Refused::SessionEnded(probe)) => {
                assert!(!self.model.is_active(holder));
                self.refused(holder, probe);
            }
            Err(other) => panic!("{other:?}"),
        }
    }

    /// A value that was handed back belongs to the program, and is dropped here.
    #[expect(clippy::needless_pass_by_value, reason = "its end is what is noted")]
    pub(crate) fn refused(&mut self, holder: Holder, probe: Probe) {
        self.model
            .ends
            .entry(holder)
            .or_default()
            .push(End::Dropped(probe.number));
    }

    pub(crate) fn remove(&mut self, holder: Holder, key: usize) {
        let Some(found) = self.find(holder) else {
            return;
        };
        match found.properties().remove(&KEYS[key]) {
            Ok(removed) => {
                assert_eq!(
                    removed.as_ref().map(|old| old.number),
                    self.model.at(holder, key)
                );
                drop(removed);
                self.model.remove(holder, key);
            }
            Err(_ended) => assert!(!self.model.is_active(holder)),
        }
    }

    pub(crate) async fn get_or_init(&mut self, holder: Holder, key: usize, on_a_task: bool) {
        let Some(found) = self.find(holder) else {
            return;
        };
        let log = self.log.clone();
        let properties = found.properties();
        let got = if on_a_task {
            properties
                .get_or_init_async(&KEYS[key], move || async move { log.probe(holder) })
                .await
        } else {
            properties.get_or_init(&KEYS[key], || log.probe(holder))
        };
        match (got, self.model.at(holder, key)) {
            (Ok(handle), Some(number)) => assert_eq!(handle.number, number),
            (Ok(handle), None) => self.model.insert(holder, key, handle.number, Close::Drop),
            (Err(_ended), there) => {
                assert!(there.is_none() && !self.model.is_active(holder));
            }
        }
    }

    pub(crate) fn hold(&mut self, holder: Holder, key: usize) {
        let Some(found) = self.find(holder) else {
            return;
        };
        let handle = found.properties().get(&KEYS[key]);
        assert_eq!(
            handle.as_ref().map(|handle| handle.number),
            self.model.at(holder, key)
        );
        if let Some(handle) = handle {
            self.model.hold(handle.number);
            self.handles.push(handle);
        }
    }

    pub(crate) fn let_go(&mut self, latest: usize) {
        if let Some(at) = self.handles.len().checked_sub(latest + 1) {
            let handle = self.handles.remove(at);
            handle.touch();
            let number = handle.number;
            drop(handle);
            self.model.let_go(number);
        }
    }

    pub(crate) fn own(&mut self, holder: Holder) {
        let Some(found) = self.find(holder) else {
            return;
        };
        let probe = self.log.probe(holder);
        let number = probe.number;
        match found.own(probe) {
            Ok(owned) => {
                self.model.own(holder, number);
                self.owned.push((holder, number, owned));
            }
            Err(refused) => {
                assert!(!self.model.is_active(holder));
                self.refused(holder, refused.into_value());
            }
        }
    }

    pub(crate) fn disown(&mut self, latest: usize, dispose: bool) {
        let Some(at) = self.owned.len().checked_sub(latest + 1) else {
            return;
        };
        let (holder, number, owned) = &self.owned[at];
        if dispose {
            assert_eq!(owned.dispose(), self.model.disown(*holder, *number, true));
        } else {
            let reclaimed = owned.reclaim();
            assert_eq!(
                reclaimed.is_some(),
                self.model.disown(*holder, *number, false)
            );
            if let Some(probe) = reclaimed {
                let holder = *holder;
                self.refused(holder, probe);
            }
        }
    }
}
