//! The room: the last messages, and the users that are there.
//!
//! Readers hold no queue of their own. Each reads the history after the entry that it has seen last, and is woken when
//! there is more. So a reader that stalls holds up nothing, loses nothing within the history, and sees nothing twice.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;
use tokio::sync::watch;

use super::users::UserName;

/// The entries of the history.
pub(crate) const MOST_ENTRIES: usize = 200;

/// One line of the conversation.
#[derive(Debug, Serialize)]
pub(crate) struct Entry {
    /// One more than that of the entry before.
    pub(crate) id: u64,
    /// In milliseconds since 1970.
    at: u64,
    from: UserName,
    #[serde(flatten)]
    event: Event,
}

#[derive(Debug, Serialize)]
#[serde(tag = "event", content = "text", rename_all = "lowercase")]
enum Event {
    Came,
    Left,
    Said(String),
}

#[derive(Debug)]
pub(crate) struct Room {
    inside: Mutex<Inside>,
    grown: watch::Sender<()>,
}

#[derive(Debug, Default)]
struct Inside {
    history: VecDeque<Arc<Entry>>,
    /// The id of the newest entry, and zero before the first.
    newest: u64,
    /// How many sessions each user has here.
    present: BTreeMap<UserName, usize>,
}

impl Inside {
    fn add(&mut self, from: &UserName, event: Event) -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        let at = since.map_or(0, |since| {
            u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
        });
        if self.history.len() == MOST_ENTRIES {
            self.history.pop_front();
        }
        self.newest += 1;
        self.history.push_back(Arc::new(Entry {
            id: self.newest,
            at,
            from: from.clone(),
            event,
        }));
        self.newest
    }
}

impl Room {
    pub(crate) fn new() -> Self {
        Self {
            inside: Mutex::default(),
            grown: watch::Sender::new(()),
        }
    }

    /// Adds a message, and returns its id.
    pub(crate) fn say(&self, from: &UserName, text: String) -> u64 {
        let id = self.inside().add(from, Event::Said(text));
        self.grown.send_replace(());
        id
    }

    /// The names of the users that have a session, in order.
    pub(crate) fn present(&self) -> Vec<UserName> {
        self.inside().present.keys().cloned().collect()
    }

    /// A reader of what comes after this entry: of all there is, if it is none or unknown.
    pub(crate) fn read_after(self: &Arc<Self>, id: Option<u64>) -> Reader {
        // Before the history is read for the first time, so nothing is missed between the two.
        let grown = self.grown.subscribe();
        let inside = self.inside();
        let oldest = inside.history.front().map_or(1, |entry| entry.id);
        let last = id.filter(|id| *id <= inside.newest).unwrap_or(oldest - 1);
        drop(inside);
        Reader {
            room: Arc::clone(self),
            grown,
            last,
        }
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().expect("nothing panics under it")
    }
}

/// The next part of the conversation.
#[derive(Debug)]
pub(crate) enum Read {
    Entry(Arc<Entry>),
    /// So many entries are not in the history any more.
    Missed(u64),
}

/// A place in the conversation.
#[derive(Debug)]
pub(crate) struct Reader {
    room: Arc<Room>,
    grown: watch::Receiver<()>,
    last: u64,
}

impl Reader {
    /// Waits for the next entry. Cancel safe: nothing is read until it returns.
    pub(crate) async fn next(&mut self) -> Read {
        loop {
            if let Some(read) = self.read() {
                return read;
            }
            self.grown().await;
        }
    }

    /// Waits for an entry that has come since the last wait.
    async fn grown(&mut self) {
        // The room, and with it the sender, is there as long as the reader.
        let _ = self.grown.changed().await;
    }

    fn read(&mut self) -> Option<Read> {
        let inside = self.room.inside();
        let oldest = inside.history.front()?.id;
        if self.last + 1 < oldest {
            let missed = oldest - 1 - self.last;
            self.last = oldest - 1;
            return Some(Read::Missed(missed));
        }
        let place = usize::try_from(self.last + 1 - oldest).ok()?;
        let entry = Arc::clone(inside.history.get(place)?);
        self.last = entry.id;
        Some(Read::Entry(entry))
    }
}

/// A session's presence. The room is told that its user has come, and when the last one of the user's is dropped, that
/// the user has left.
#[derive(Debug)]
pub(crate) struct Presence {
    room: Arc<Room>,
    name: UserName,
}

impl Presence {
    pub(crate) fn new(room: &Arc<Room>, name: UserName) -> Self {
        {
            let mut inside = room.inside();
            let sessions = inside.present.entry(name.clone()).or_default();
            *sessions += 1;
            if *sessions == 1 {
                inside.add(&name, Event::Came);
            }
        }
        room.grown.send_replace(());
        Self {
            room: Arc::clone(room),
            name,
        }
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        {
            let mut inside = self.room.inside();
            let sessions = inside.present.get_mut(&self.name);
            let left = sessions.map_or(0, |sessions| {
                *sessions -= 1;
                *sessions
            });
            if left == 0 {
                inside.present.remove(&self.name);
                inside.add(&self.name, Event::Left);
            }
        }
        self.room.grown.send_replace(());
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    fn ann() -> UserName {
        UserName::new("ann").unwrap()
    }

    /// Reads to the entry with this id, and fails at a gap that it is not told of.
    async fn read_to(mut reader: Reader, end: u64) {
        while reader.last < end {
            let before = reader.last;
            let read = timeout(Duration::from_secs(20), reader.next()).await;
            match read.expect("nothing wakes the reader") {
                Read::Entry(entry) => assert_eq!(entry.id, before + 1),
                Read::Missed(entries) => assert_eq!(reader.last, before + entries),
            }
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn readers_that_come_at_any_time_see_all_once_and_in_order() {
        const WRITERS: u64 = 2;
        // As many as are kept, and far more.
        for messages in [MOST_ENTRIES as u64 / WRITERS, 5000] {
            let room = Arc::new(Room::new());
            let end = WRITERS * messages;
            let writers = (0..WRITERS).map(|_| {
                let room = Arc::clone(&room);
                std::thread::spawn(move || {
                    for number in 0..messages {
                        room.say(&ann(), number.to_string());
                    }
                })
            });
            let writers: Vec<_> = writers.collect();
            let mut readers = Vec::new();
            for _ in 0..50 {
                readers.push(tokio::spawn(read_to(room.read_after(None), end)));
                let newest = room.inside().newest;
                readers.push(tokio::spawn(read_to(room.read_after(Some(newest)), end)));
                tokio::task::yield_now().await;
            }
            for reader in readers {
                reader.await.unwrap();
            }
            for writer in writers {
                writer.join().unwrap();
            }
        }
    }

    /// Nothing comes afterwards that would wake the reader once more.
    #[tokio::test(start_paused = true)]
    async fn an_entry_between_the_look_and_the_wait_wakes_the_reader() {
        let room = Arc::new(Room::new());
        let mut reader = room.read_after(None);
        for _ in 0..3 {
            assert!(reader.read().is_none());
            room.say(&ann(), "now".into());
            let woken = timeout(Duration::from_secs(20), reader.grown()).await;
            assert!(woken.is_ok());
            assert!(matches!(reader.read(), Some(Read::Entry(_))));
        }
    }

    #[test]
    fn the_history_has_an_end() {
        let room = Arc::new(Room::new());
        for _ in 0..1000 {
            room.say(&ann(), "again".into());
        }
        let inside = room.inside();
        assert_eq!(inside.history.len(), MOST_ENTRIES);
        assert_eq!(inside.history.back().unwrap().id, 1000);
    }
}
