//! The node's last act: it buries itself.

use session_core::NodeTag;

use super::{Keeper, random_tag};
use crate::directory::DirectoryError;
use crate::view::Mode;

/// The number of attempts to tell the store.
const ATTEMPTS: u32 = 3;

impl Keeper {
    /// Writes the verdict on the node's tag. From then on the node only learns of the others.
    pub(super) async fn leave(&mut self) -> Result<(), DirectoryError> {
        // First, so that no request gets in after the verdict.
        self.shared.view.close();
        self.shared.view.set_mode(Mode::Left);
        let former = self.shared.view.own();
        let outcome = self.bury_own(former).await;
        // Not before the store knows it: until then other nodes are told that nobody of this one is left here, and after
        // that they learn it there. If it were another's tag in between, they would know neither.
        let mut known = self.shared.view.known_mut();
        known.own = None;
        known.dead.extend(former);
        outcome
    }

    async fn bury_own(&mut self, former: Option<NodeTag>) -> Result<(), DirectoryError> {
        let slot = self.slot;
        self.node.leave(self.now(), &mut || random_tag(slot));
        let mut attempts = 0;
        // The own burial comes before those that are repeated.
        while let Some(burial) = self.node.burial() {
            match self.store.bury(burial.tag, burial.beat).await {
                Ok(is_dead) => {
                    let steps = self.node.buried(self.now(), burial, is_dead);
                    self.take(steps);
                    if Some(burial.tag) == former {
                        break;
                    }
                }
                Err(error) => {
                    self.failed(&error);
                    attempts += 1;
                    if attempts == ATTEMPTS {
                        return Err(error);
                    }
                }
            }
        }
        if let Some(tag) = former {
            tracing::info!(%tag, address = %self.shared.address, "this node has left the cluster");
        }
        Ok(())
    }

    /// Leaves, unless the node has done so, because the last handle to it was dropped or it could not join.
    pub(super) async fn leave_unasked(&mut self) {
        if self.shared.view.mode() != Mode::Left {
            // Nobody is left to be told of an error, which is logged.
            let _ = self.leave().await;
        }
    }
}
