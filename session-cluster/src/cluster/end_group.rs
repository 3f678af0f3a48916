//! Ending a group on all nodes.

use std::borrow::Cow;
use std::time::Duration;

use session_core::{GroupId, LocalSession as _, NodeTag};
use tokio::sync::oneshot;

use crate::cluster::error::EndGroupError;
use crate::cluster::{Cluster, Command, Shared};
use crate::directory::DirectoryError;
use crate::sealed::ending::Ending;

/// The log goes to all nodes, and one entry after the other: a large one would hold all of them up.
const LONGEST_NAME: usize = 64 * 1024;
const LONGEST_REASON: usize = 1024;

/// The outcome of [`Cluster::end_group`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupEnded {
    unconfirmed: Vec<NodeTag>,
}

impl GroupEnded {
    /// The nodes that have not confirmed it in time. They end the group with their next answer from the store. A node
    /// that gets none serves no requests once its lease is over, except with
    /// [`WhenCutOff::Serve`](crate::WhenCutOff::Serve).
    pub fn unconfirmed(&self) -> &[NodeTag] {
        &self.unconfirmed
    }

    /// Whether all nodes have ended it. If the store has lost its data less than a lease ago, there may be another node that
    /// it does not know again yet; that one ends the group too, with its next answers.
    pub fn is_confirmed(&self) -> bool {
        self.unconfirmed.is_empty()
    }
}

impl Cluster {
    /// Ends the group with this name on all nodes: on this one before the call's first wait, on the others by an entry in
    /// the store's log. Waits until all have confirmed it, but not for longer than `within`; a store that hangs may add
    /// one of its timeouts.
    ///
    /// A group is one per node, and so are its properties. A session that joins a node's group after the node has read
    /// the entry is not ended, since its user has logged in anew; one that has joined before is. A node without an
    /// answer of the store reads the entry later, so none misses it.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use session_cluster::{Cluster, InProcessDirectory};
    /// # use session_core::{LocalSession, SessionManager};
    /// # use std::time::Duration;
    /// # let directory = InProcessDirectory::new();
    /// # let join = async |sessions: &SessionManager, address: &str| Cluster::builder(sessions.clone(), directory.clone())
    /// #     .address(address.parse().unwrap()).secret([7; 32]).join().await;
    /// # let [ours, theirs] = [(); 2].map(|()| SessionManager::builder().build().unwrap());
    /// # let first = join(&ours, "10.0.0.7:8080").await?;
    /// # let second = join(&theirs, "10.0.0.8:8080").await?;
    /// // The user has sessions on two nodes, and logs out everywhere.
    /// let session = theirs.create_in("user:42".into())?;
    /// let ended = first.end_group(&"user:42".into(), Duration::from_secs(5)).await?;
    /// assert!(ended.is_confirmed() && session.is_completed());
    /// # drop(second); Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`EndGroupError`] if the store has not taken the entry in time: the group has ended on this node only so far. Also if
    /// the name is longer than 64 KiB, and then the others are not told later either.
    ///
    /// # Cancel safety
    ///
    /// The group on this node has been ended by the first poll, and the others are told all the same.
    pub async fn end_group(
        &self,
        group: &GroupId,
        within: Duration,
    ) -> Result<GroupEnded, EndGroupError> {
        self.end_group_because(group, "", within).await
    }

    /// Ends the group as [`end_group`](Self::end_group) does, and says why in words, as
    /// [`terminate_because`](session_core::LocalSession::terminate_because) does. Its first 1,024 bytes go to all nodes.
    ///
    /// # Errors
    ///
    /// As [`end_group`](Self::end_group).
    ///
    /// # Cancel safety
    ///
    /// As [`end_group`](Self::end_group).
    pub async fn end_group_because(
        &self,
        group: &GroupId,
        reason: impl Into<Cow<'static, str>>,
        within: Duration,
    ) -> Result<GroupEnded, EndGroupError> {
        let mut ending = Ending {
            group: group.clone(),
            reason: reason.into().into_owned(),
        };
        self.shared.end_here(&ending);
        if group.as_str().len() > LONGEST_NAME {
            let why = "the group's name is too long for the store's log";
            return Err(EndGroupError(DirectoryError::new(why)));
        }
        let told = ending.reason.floor_char_boundary(LONGEST_REASON);
        ending.reason.truncate(told);
        let (reply, outcome) = oneshot::channel();
        let command = Command::EndGroup {
            ending,
            within,
            reply,
        };
        // Without a keeper the reply is dropped.
        let _ = self.shared.commands.send(command);
        match outcome.await {
            Ok(outcome) => outcome.map(|unconfirmed| GroupEnded { unconfirmed }),
            Err(_) => Err(DirectoryError::new("the node's keeper has ended")),
        }
        .map_err(EndGroupError)
    }
}

impl Shared {
    /// Ends the group on this node. Returns whether it was there.
    pub(super) fn end_here(&self, ending: &Ending) -> bool {
        let group = self.sessions.group(&ending.group);
        if let Some(group) = &group {
            group.terminate_because(ending.reason.clone());
        }
        group.is_some()
    }
}
