//! A request on its way through rmcp, whose session manager sees neither its head nor its answer's status.

use std::cell::Cell;

use session_core::{CreateError, GroupId};

/// The notes that [`LiveService`](crate::LiveService) and the session manager exchange about a request.
#[derive(Default)]
pub(crate) struct Arrival {
    /// The owner of a session that the request creates.
    pub(crate) owner: Option<GroupId>,
    refusal: Cell<Option<Refusal>>,
}

/// Why the session manager has refused a request, for which rmcp knows no status.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Refusal {
    /// Its session has ended, or never was.
    Gone,
    /// No session could be created.
    NoRoom(CreateError),
}

tokio::task_local! {
    static ARRIVAL: Arrival;
}

impl Arrival {
    /// Runs a future for this request. Returns its output and the refusal, if there was one.
    pub(crate) async fn run<F: Future>(self, future: F) -> (F::Output, Option<Refusal>) {
        let with_refusal = async {
            let output = future.await;
            (output, ARRIVAL.with(|arrival| arrival.refusal.take()))
        };
        ARRIVAL.scope(self, with_refusal).await
    }

    /// Returns the owner of the request that runs in this task. There is none if rmcp's service is not wrapped.
    pub(crate) fn current_owner() -> Option<GroupId> {
        ARRIVAL
            .try_with(|arrival| arrival.owner.clone())
            .unwrap_or_default()
    }

    /// Whether the request that runs in this task may be of this owner. Where there is none, rmcp does its own work.
    pub(crate) fn may_be_of(owner: Option<&GroupId>) -> bool {
        ARRIVAL
            .try_with(|arrival| arrival.owner.as_ref() == owner)
            .unwrap_or(true)
    }

    pub(crate) fn of(owner: Option<GroupId>) -> Self {
        Self {
            owner,
            refusal: Cell::new(None),
        }
    }

    pub(crate) fn refuse(refusal: Refusal) {
        // Without a wrapped service rmcp's own status stays.
        let _ = ARRIVAL.try_with(|arrival| arrival.refusal.set(Some(refusal)));
    }
}
