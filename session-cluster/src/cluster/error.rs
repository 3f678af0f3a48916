//! The errors: a small type per operation.

use std::error::Error;
use std::fmt;
use std::net::SocketAddr;

use crate::directory::DirectoryError;

/// A node could not join.
///
/// Its `Display` says what to do, and [`source`](Error::source) has the store's error. A `main` that returns it prints its
/// `Debug` instead, which only names the setting.
#[derive(Debug)]
#[non_exhaustive]
pub enum JoinClusterError {
    /// No address was set.
    NoAddress,
    /// Other nodes can't reach this address: its IP address is unspecified, or it names an interface, or its port is 0.
    Unreachable(SocketAddr),
    /// No secret was set, or one shorter than 32 bytes.
    ShortSecret,
    /// The slot is not below 4096.
    Slot(u16),
    /// The times don't fit each other, for this reason.
    Times(&'static str),
    /// The store has not answered within a lease. This is its last error.
    Directory(DirectoryError),
    /// The store has refused each tag that was tried. A slot has 4096 tags, and each one is used once.
    NoTag,
    /// The manager's runtime has ended.
    RuntimeGone,
}

impl fmt::Display for JoinClusterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoAddress => f.write_str("no address is set: call `address(..)`, with the one where the other nodes reach this one"),
            Self::Unreachable(address) => write!(
                f,
                "other nodes can't reach `{address}`, though a server can listen there: call `address(..)` with this \
                 machine's IP address in the nodes' network, and the server's port"
            ),
            Self::ShortSecret => {
                f.write_str("no secret, or a short one: call `secret(..)` with at least 32 random bytes, the same at all nodes")
            }
            Self::Slot(slot) => write!(f, "the slot {slot} is not below 4096: each node has a slot from 0 to 4095"),
            Self::Times(reason) => f.write_str(reason),
            Self::Directory(_) => f.write_str(
                "the cluster's store did not answer within a lease: is it running, and its URL right?",
            ),
            Self::NoTag => f.write_str("the cluster's store has refused each tag: set another slot, or none"),
            Self::RuntimeGone => f.write_str("the runtime of the manager has ended"),
        }
    }
}

impl Error for JoinClusterError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Directory(error) => Some(error),
            _ => None,
        }
    }
}

/// A session could not be confirmed: see [`Cluster::confirm`](crate::Cluster::confirm).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConfirmError {
    /// The session has completed.
    SessionEnded,
    /// The store has not answered in time: it is not known whether the session should go on.
    Unsure,
}

impl fmt::Display for ConfirmError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SessionEnded => "the session has ended",
            Self::Unsure => "the cluster's store did not answer in time",
        })
    }
}

impl Error for ConfirmError {}

/// A group was ended on this node, but the others could not be told yet: the store has not taken the entry in time. The
/// node tells it as soon as the store answers, unless its process ends first.
#[derive(Debug)]
pub struct EndGroupError(pub(crate) DirectoryError);

impl fmt::Display for EndGroupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the group was ended on this node only")
    }
}

impl Error for EndGroupError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}
