//! A session that has made room for another.

use crate::life::lifecycle::Completion;
use crate::life::owner::AsOwner as _;
use crate::sessions::session::Session;

/// A session whose step of eviction is done. Dropping this carries out the rest: drop it outside all locks.
#[must_use = "dropping it runs user code"]
pub(crate) struct Evicted {
    session: Session,
    completion: Option<Completion>,
}

impl Evicted {
    pub(crate) fn new(session: Session, completion: Completion) -> Self {
        Self {
            session,
            completion: Some(completion),
        }
    }
}

impl Drop for Evicted {
    fn drop(&mut self) {
        if let Some(completion) = self.completion.take() {
            completion.carry_out(self.session.as_owner());
        }
    }
}
