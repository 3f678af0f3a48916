//! Helpers that the suite's tests share.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use session_cluster::{Cluster, ClusterBuilder, Directory, InProcessDirectory, InProcessLink};
use session_core::{GroupId, LocalSession as _, NodeTag, Session, SessionManager};
use tokio::time::sleep;

pub(crate) const LEASE: Duration = Duration::from_secs(3);
pub(crate) const PERIOD: Duration = Duration::from_millis(500);
pub(crate) const STORE_TIMEOUT: Duration = Duration::from_millis(200);
pub(crate) const PATIENCE: Duration = Duration::from_millis(300);
/// The time within which a question ends that was due.
pub(crate) const TURN: Duration = Duration::from_millis(750);
pub(crate) const TICK: Duration = Duration::from_millis(1);
pub(crate) const SECRET: [u8; 32] = [7; 32];

/// A node, with its own way to the directory.
pub(crate) struct Node {
    pub(crate) sessions: SessionManager,
    pub(crate) cluster: Cluster,
    pub(crate) link: InProcessLink,
}

/// A manager whose sessions end by no timeout.
pub(crate) fn manager() -> SessionManager {
    let ever = Duration::from_secs(100 * 24 * 3600);
    let builder = SessionManager::builder();
    let builder = builder.idle_timeout(ever).absolute_timeout(ever);
    builder.build().unwrap()
}

pub(crate) fn address(number: u8) -> SocketAddr {
    SocketAddr::from(([10, 0, 0, number], 8080))
}

pub(crate) fn builder<D: Directory>(
    sessions: &SessionManager,
    directory: D,
    number: u8,
) -> ClusterBuilder<D> {
    Cluster::builder(sessions.clone(), directory)
        .address(address(number))
        .secret(SECRET)
        .lease(LEASE)
        .period(PERIOD)
        .store_timeout(STORE_TIMEOUT)
        .patience(PATIENCE)
}

/// A node that has joined at the address with this number.
pub(crate) async fn join(directory: &InProcessDirectory, number: u8) -> Node {
    join_with(directory, number, |builder| builder).await
}

pub(crate) async fn join_with(
    directory: &InProcessDirectory,
    number: u8,
    set: impl FnOnce(ClusterBuilder<InProcessLink>) -> ClusterBuilder<InProcessLink>,
) -> Node {
    let sessions = manager();
    let link = directory.link();
    let builder = set(builder(&sessions, link.clone(), number));
    let cluster = builder.join().await.unwrap();
    Node {
        sessions,
        cluster,
        link,
    }
}

/// Nodes that know each other.
pub(crate) async fn join_all<const N: usize>(directory: &InProcessDirectory) -> [Node; N] {
    let mut nodes = Vec::new();
    for number in 0..N {
        nodes.push(join(directory, u8::try_from(number).unwrap() + 1).await);
    }
    pass(TURN).await;
    nodes.try_into().ok().unwrap()
}

impl Node {
    pub(crate) fn tag(&self) -> NodeTag {
        self.cluster.tag().unwrap()
    }

    pub(crate) fn create_in(&self, group: &GroupId) -> Session {
        self.sessions.create_in(group.clone()).unwrap()
    }

    /// The tags of the other nodes that it knows, in order.
    pub(crate) fn others(&self) -> Vec<NodeTag> {
        let nodes = self.cluster.nodes();
        let others = nodes.iter().filter(|node| !node.is_self);
        let mut tags: Vec<_> = others.map(|node| node.tag).collect();
        tags.sort();
        tags
    }

    /// The time until the end of the lease, if no question is answered any more.
    pub(crate) fn rest_of_lease(&self) -> Duration {
        LEASE.saturating_sub(self.cluster.metrics().since_answer)
    }
}

pub(crate) fn tags<const N: usize>(nodes: [&Node; N]) -> Vec<NodeTag> {
    let mut tags = nodes.map(Node::tag).to_vec();
    tags.sort();
    tags
}

/// Lets this time pass, in which all tasks run when they are due.
pub(crate) async fn pass(time: Duration) {
    sleep(time).await;
}

/// Lets time pass until `done`, looked at each millisecond, and returns how long it took: `at_most` this long.
pub(crate) async fn pass_until(at_most: Duration, mut done: impl FnMut() -> bool) -> Duration {
    let mut passed = Duration::ZERO;
    while !done() {
        assert!(passed < at_most, "not within {at_most:?}");
        pass(TICK).await;
        passed += TICK;
    }
    passed
}

/// Looks, at the moment at which a session completes, whether its node is ready.
pub(crate) struct AtTheEnd {
    _waits: Pin<Box<dyn Future<Output = ()>>>,
    looked: Arc<Look>,
}

struct Look {
    cluster: Cluster,
    was_ready: Mutex<Option<bool>>,
}

impl AtTheEnd {
    pub(crate) fn of(session: &Session, node: &Node) -> Self {
        let looked = Arc::new(Look {
            cluster: node.cluster.clone(),
            was_ready: Mutex::default(),
        });
        let token = session.completion_token();
        let mut waits: Pin<Box<dyn Future<Output = ()>>> = Box::pin(token.cancelled_owned());
        let waker = Waker::from(Arc::clone(&looked));
        assert!(
            waits
                .as_mut()
                .poll(&mut Context::from_waker(&waker))
                .is_pending()
        );
        Self {
            _waits: waits,
            looked,
        }
    }

    /// `None` if the session has not completed.
    pub(crate) fn was_ready(&self) -> Option<bool> {
        *self.looked.was_ready.lock().unwrap()
    }
}

impl Wake for Look {
    fn wake(self: Arc<Self>) {
        *self.was_ready.lock().unwrap() = Some(self.cluster.is_ready());
    }
}

/// Polls the future once, and leaves it.
pub(crate) async fn poll_once<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
    poll_fn(|cx| {
        Poll::Ready(match Pin::new(&mut *future).poll(cx) {
            Poll::Ready(output) => Some(output),
            Poll::Pending => None,
        })
    })
    .await
}
