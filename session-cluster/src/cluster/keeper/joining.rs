//! The first claim of a tag.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::Keeper;
use crate::cluster::error::JoinClusterError;

/// The time between two attempts while the store does not answer.
const PAUSE: Duration = Duration::from_millis(500);
/// The number of tags that are tried.
const TAGS: u32 = 64;

impl Keeper {
    /// Claims a tag. A store that does not answer has a lease to come back.
    pub(super) async fn join(&mut self) -> Result<(), JoinClusterError> {
        let deadline = Instant::now() + self.shared.times.lease;
        let mut refused = 0;
        loop {
            match self.try_to_ask().await {
                Ok(()) if self.shared.view.known().own.is_some() => return Ok(()),
                Ok(()) => {
                    refused += 1;
                    if refused == TAGS {
                        return Err(JoinClusterError::NoTag);
                    }
                }
                Err(error) if Instant::now() + PAUSE > deadline => {
                    return Err(JoinClusterError::Directory(error));
                }
                Err(_) => sleep(PAUSE).await,
            }
        }
    }
}
