//! The requests under way whose ids the store knew, by id.
//!
//! A request that changes its id does so at once: their session forgets the id before their store does. From then on
//! until its response, no other request may take the old id for that of a visitor or of a stranger, and only the request
//! itself knows of the change.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tower_sessions::Session;
use tower_sessions::session::Id;

#[derive(Debug, Default)]
pub(crate) struct UnderWay(Mutex<Requests>);

#[derive(Debug, Default)]
struct Requests {
    /// The number of the next request.
    next: u64,
    by_id: BTreeMap<(i128, u64), Session>,
}

impl UnderWay {
    /// Adds a request, which is under way until it [leaves](Self::leave) with this number.
    pub(crate) fn enter(&self, id: Id, theirs: Session) -> u64 {
        let mut requests = self.lock();
        let number = requests.next;
        requests.next += 1;
        requests.by_id.insert((id.0, number), theirs);
        number
    }

    pub(crate) fn leave(&self, id: Id, number: u64) {
        let left = self.lock().by_id.remove(&(id.0, number));
        drop(left);
    }

    /// Whether a request, other than the one with this number, came with the id and does not have it any more.
    pub(crate) fn is_given_up(&self, id: Id, except: Option<u64>) -> bool {
        let requests = self.lock();
        let mut of_id = requests.by_id.range((id.0, 0)..=(id.0, u64::MAX));
        of_id.any(|((_, number), theirs)| Some(*number) != except && theirs.id() != Some(id))
    }

    fn lock(&self) -> MutexGuard<'_, Requests> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
