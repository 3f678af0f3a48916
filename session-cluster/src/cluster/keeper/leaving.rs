//! The node's last act: it buries itself.

use super::{Keeper, random_tag};
use crate::directory::DirectoryError;
use crate::view::Mode;

/// The number of attempts to tell the store.
const ATTEMPTS: u32 = 3;

impl Keeper {
    /// Gives the node's tag up. From then on the node only learns of the others.
    pub(super) async fn leave(&mut self) -> Result<(), DirectoryError> {
        let view = &self.shared.view;
        // First, so that no request gets in after the verdict.
        view.close();
        view.set_mode(Mode::Left);
        let former = {
            let mut known = view.known_mut();
            let former = known.own.take();
            known.dead.extend(former);
            former
        };
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
