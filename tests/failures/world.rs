//! A store and the nodes of a cluster, for one test.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU32, Ordering};

use futures_util::future::join_all;

use workspace_tests::RedisServer;

use crate::node::Node;
use crate::place::Place;
use crate::record::Record;
use crate::visitor::Visitor;
use crate::wait::until;

pub(crate) fn address_of(store: &RedisServer) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, store.port()).into()
}

pub(crate) struct World {
    pub(crate) place: Place,
    pub(crate) store: RedisServer,
    pub(crate) nodes: Vec<Node>,
    pub(crate) record: Record,
    visitors: AtomicU32,
}

impl World {
    /// Starts a store and this many nodes, and waits until they know each other.
    pub(crate) async fn start(nodes: u16) -> Self {
        Self::with(nodes, &[]).await
    }

    /// As [`start`](Self::start), with more arguments for the nodes.
    pub(crate) async fn with(nodes: u16, more: &[&str]) -> Self {
        let mut world = Self::empty();
        for _ in 0..nodes {
            world.add(more).await;
        }
        world.joined().await;
        world
    }

    /// Waits until all nodes have joined and know each other.
    pub(crate) async fn joined(&self) {
        join_all(self.nodes.iter().map(Node::joined)).await;
        self.meet().await;
    }

    pub(crate) fn all(&self) -> Vec<&Node> {
        self.nodes.iter().collect()
    }

    /// Starts a store alone.
    pub(crate) fn empty() -> Self {
        let place = Place::new();
        Self {
            place,
            store: RedisServer::start(),
            nodes: Vec::new(),
            record: Record::default(),
            visitors: AtomicU32::new(0),
        }
    }

    /// Starts one more node, and does not wait until it has joined. Returns its number.
    pub(crate) async fn add(&mut self, more: &[&str]) -> usize {
        let number = self.nodes.len();
        let port = u16::try_from(number).unwrap();
        let node = Node::start(self.place, port, address_of(&self.store), more).await;
        self.nodes.push(node);
        number
    }

    pub(crate) fn stranger(&self) -> Visitor {
        let number = self.visitors.fetch_add(1, Ordering::Relaxed);
        Visitor::new(format!("v{number}"), self.record.clone())
    }

    /// A visitor with a session on this node.
    pub(crate) async fn visitor(&self, node: usize) -> Visitor {
        let mut visitor = self.stranger();
        let node = &self.nodes[node];
        until("a session is made", async || {
            let answer = visitor.get(node.address).await;
            answer.is_stranger() && answer.by.as_deref() == Some(node.name())
        })
        .await;
        visitor
    }

    /// Waits until each node forwards to each other.
    async fn meet(&self) {
        for owner in 0..self.nodes.len() {
            let visitor = self.visitor(owner).await;
            for node in &self.nodes {
                until("the nodes know each other", async || {
                    let answer = visitor.look(node.address).await;
                    // As nodes do that only say that it is another's.
                    answer.is_known() || answer.status == Some(421)
                })
                .await;
            }
        }
    }

    /// Checks what holds for all answers of the test.
    pub(crate) fn check(&self) {
        self.record.check(&self.nodes);
    }
}
