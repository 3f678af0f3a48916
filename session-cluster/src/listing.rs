//! The sessions of a group on all nodes: rule 23.

use std::fmt::Write as _;
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use http::StatusCode;
use http_body_util::{BodyExt as _, Limited};
use session_core::{GroupId, LocalSession as _, NodeTag, SessionManager};
use tokio::time::timeout;

use crate::cluster::{Cluster, Shared};
use crate::hop::{Errand, Word};
use crate::view::Peer;

/// The number of nodes that are asked at a time, and the time that each has for its answer.
const AT_A_TIME: usize = 32;
const ANSWER_TIME: Duration = Duration::from_secs(1);

/// The length of an answer, in bytes. A session takes about 40.
const MAX_LEN: usize = 16 << 20;

/// The sessions of a group on all nodes: see [`Cluster::sessions_of`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Listing {
    /// The sessions, in no order.
    pub sessions: Vec<ListedSession>,
    /// The nodes that have not answered. The group may have sessions there.
    pub unanswered: Vec<NodeTag>,
}

/// A session on one of the nodes, as it was at the moment of the node's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListedSession {
    /// The node that it lives on.
    pub node: NodeTag,
    /// Its number, unique on its node: [`serial`](session_core::LocalSession::serial).
    pub serial: u64,
    /// The time since it was created, in milliseconds' precision like the others.
    pub age: Duration,
    /// The time since the end of its last activity; `None` during activity.
    pub idle: Option<Duration>,
    /// The time until it ends, if nothing more happens.
    pub expires_in: Duration,
}

impl Cluster {
    /// Returns the sessions of a group on all live nodes, this one included.
    ///
    /// It asks up to 32 nodes at a time and waits up to a second for each. A node that does not answer is named in the
    /// listing. The nodes must have a [`ClusterLayer`](crate::ClusterLayer), which answers.
    ///
    /// ```
    /// use session_cluster::Cluster;
    /// use session_core::GroupId;
    ///
    /// async fn devices(cluster: &Cluster, user: &GroupId) -> String {
    ///     let listing = cluster.sessions_of(user).await;
    ///     let some = if listing.unanswered.is_empty() { "" } else { "at least " };
    ///     format!("logged in on {some}{} devices", listing.sessions.len())
    /// }
    /// ```
    ///
    /// # Cancel safety
    ///
    /// It changes nothing.
    pub async fn sessions_of(&self, group: &GroupId) -> Listing {
        let shared = &*self.shared;
        let own = shared.view.own();
        let mut listing = Listing::default();
        if let Some(own) = own {
            listing.sessions = read(own, &write(&shared.sessions, group)).unwrap_or_default();
        }
        let peers: Vec<_> = shared.view.known().peers.values().cloned().collect();
        let answers = stream::iter(peers).map(async |peer| {
            let sessions = timeout(ANSWER_TIME, ask(shared, own, &peer, group)).await;
            sessions.ok().flatten().ok_or(peer.tag)
        });
        let mut answers = std::pin::pin!(answers.buffer_unordered(AT_A_TIME));
        while let Some(answer) = answers.next().await {
            match answer {
                Ok(sessions) => listing.sessions.extend(sessions),
                Err(node) => listing.unanswered.push(node),
            }
        }
        listing
    }
}

async fn ask(
    shared: &Shared,
    own: Option<NodeTag>,
    peer: &Peer,
    group: &GroupId,
) -> Option<Vec<ListedSession>> {
    let word = Word {
        from: own,
        to: peer.tag,
        errand: Errand::List(group.clone()),
    };
    let asked = shared.forwarder.ask(peer.address, &word, &shared.secret);
    let response = asked
        .await
        .ok()
        .filter(|response| response.status() == StatusCode::OK)?;
    let list = Limited::new(response.into_body(), MAX_LEN)
        .collect()
        .await
        .ok()?;
    read(peer.tag, str::from_utf8(&list.to_bytes()).ok()?)
}

const HEAD: &str = "sessions 1";

/// Writes the sessions of a group on this node: a head, and a line for each, with its serial, age, idle time (`-` during
/// activity) and the time until it ends, in milliseconds.
pub(crate) fn write(sessions: &SessionManager, group: &GroupId) -> String {
    let mut list = format!("{HEAD}\n");
    let members = sessions.group(group).map(|group| group.sessions());
    for session in members.unwrap_or_default() {
        if session.is_completed() {
            continue;
        }
        let millis = |time: Duration| time.as_millis();
        let (serial, age) = (session.serial(), millis(session.age()));
        let ends = millis(session.expires_in());
        let _ = match session.activity().idle.map(millis) {
            Some(idle) => writeln!(list, "{serial} {age} {idle} {ends}"),
            None => writeln!(list, "{serial} {age} - {ends}"),
        };
    }
    list
}

fn read(node: NodeTag, list: &str) -> Option<Vec<ListedSession>> {
    let mut lines = list.lines();
    if lines.next() != Some(HEAD) {
        return None;
    }
    lines.map(|line| read_session(node, line)).collect()
}

fn read_session(node: NodeTag, line: &str) -> Option<ListedSession> {
    let mut words = line.split(' ');
    let mut next = || words.next();
    let millis = |word: &str| Some(Duration::from_millis(word.parse().ok()?));
    let session = ListedSession {
        node,
        serial: next()?.parse().ok()?,
        age: millis(next()?)?,
        idle: match next()? {
            "-" => None,
            idle => Some(millis(idle)?),
        },
        expires_in: millis(next()?)?,
    };
    next().is_none().then_some(session)
}
