//! The keys of sessions, as the application names them.
//!
//! Invariants:
//! 1. A key is live exactly as long as its session has it, which changes under the session's lock, in one step with the
//!    slot. So a session that has completed has none.
//! 2. A key that is not live becomes live only under the lock `adding`. So of any number of callers that ask for a key
//!    one creates its session, after the others' look-ups or before them. It is the first in the lock order: a thread
//!    that waits for the end of another session's completion holds nothing else.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crate::id::session_key::{KeyHash, SessionKey};
use crate::sessions::ids::Ids;
use crate::sync::Mutex;

pub(crate) struct Keys<S> {
    /// Created with the first key.
    secret: OnceLock<[u8; 16]>,
    pub(crate) slots: Arc<Ids<KeyHash, S>>,
    /// Held by the thread that adds a key.
    pub(crate) adding: Mutex<()>,
}

impl<S: Clone> Keys<S> {
    pub(crate) fn new(superseded_for: Duration, max: usize) -> Self {
        Self {
            secret: OnceLock::new(),
            slots: Arc::new(Ids::new(superseded_for, max)),
            adding: Mutex::new(()),
        }
    }

    /// # Panics
    ///
    /// If the operating system returns no random bits, for the first key.
    pub(crate) fn hash(&self, key: &SessionKey) -> KeyHash {
        let secret = self.secret.get_or_init(|| {
            let mut secret = [0; 16];
            getrandom::fill(&mut secret).expect("the operating system returns random bits");
            secret
        });
        key.hash(secret)
    }
}
