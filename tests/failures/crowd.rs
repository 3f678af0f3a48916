//! Visitors of all nodes at once.

use tokio::time::Instant;

use crate::probe::Probe;
use crate::record::Answer;
use crate::streams::{Events, Socket};
use crate::wait::until;
use crate::world::World;

/// Visitors of all nodes, each of whom asks at all doors, again and again, and has streams open.
pub(crate) struct Crowd {
    pub(crate) probes: Vec<Probe>,
    /// The node and the serial of each session.
    pub(crate) sessions: Vec<(usize, u64)>,
    events: Vec<Events>,
    sockets: Vec<Socket>,
}

impl Crowd {
    pub(crate) async fn gather(world: &World) -> Self {
        let mut crowd = Self {
            probes: Vec::new(),
            sessions: Vec::new(),
            events: Vec::new(),
            sockets: Vec::new(),
        };
        for owner in 0..world.nodes.len() {
            crowd.join(world, owner).await;
        }
        crowd
    }

    /// Adds a visitor of this node.
    pub(crate) async fn join(&mut self, world: &World, owner: usize) {
        let visitor = world.visitor(owner).await;
        let serial = visitor.look(world.nodes[owner].address).await.seen().serial;
        self.sessions.push((owner, serial));
        let far = world.nodes[(owner + 1) % world.nodes.len()].address;
        until("the nodes know each other", async || {
            visitor.look(far).await.is_known()
        })
        .await;
        self.events.push(Events::open(&visitor, far).await);
        self.sockets.push(Socket::open(&visitor, far).await);
        let probe = |door| Probe::start(&visitor, door, &world.record);
        self.probes
            .extend(world.nodes.iter().map(|node| probe(node.address)));
    }

    pub(crate) fn answers(&self) -> Vec<Answer> {
        self.probes.iter().flat_map(Probe::answers).collect()
    }

    /// Waits until each visitor is served at each door, for requests that were sent after this time.
    pub(crate) async fn is_served_since(&self, since: Instant) {
        until("all visitors are served at all doors", async || {
            self.probes
                .iter()
                .all(|probe| probe.saw(since, Answer::is_known))
        })
        .await;
    }

    /// Waits until each visitor is refused at each door, for requests that were sent after this time.
    pub(crate) async fn is_refused_since(&self, since: Instant) {
        until("requests are refused at all doors", async || {
            self.probes
                .iter()
                .all(|probe| probe.saw(since, Answer::is_unsure))
        })
        .await;
    }

    /// Checks that nobody lost anything: no session, no stream.
    pub(crate) async fn has_lost_nothing(&mut self, world: &World) {
        for answer in self.answers() {
            assert!(!answer.is_stranger(), "{answer:?}");
            assert!(answer.is_ok() || answer.is_unsure(), "{answer:?}");
        }
        for &(owner, serial) in &self.sessions {
            assert_eq!(world.nodes[owner].cause(serial), None);
        }
        for events in &self.events {
            assert_eq!(events.ended(), None);
            events.goes_on().await;
        }
        for socket in &mut self.sockets {
            assert!(socket.echoes().await);
        }
    }
}
