//! The steps that follow from the store's answers.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use session_core::NodeTag;
use tokio_util::sync::CancellationToken;

use super::{Keeper, random_tag};
use crate::directory::Entry;
use crate::protocol::Step;
use crate::sealed::card::Card;
use crate::sealed::ending::Ending;
use crate::view::Peer;

impl Keeper {
    pub(super) fn take(&mut self, steps: Vec<Step<Card>>) {
        for step in steps {
            match step {
                Step::Joined(tag) => self.joined(tag),
                Step::GivenUp(_) => self.given_up(),
                Step::Appeared(tag, card) => {
                    tracing::info!(peer = %tag, address = %card.address, "a node has joined the cluster");
                    self.set_peer(tag, card);
                }
                Step::Changed(tag, card) => self.set_peer(tag, card),
                Step::Gone(tag) => self.gone(tag),
                Step::Apply(entry) => self.apply(&entry),
            }
        }
    }

    fn joined(&mut self, tag: NodeTag) {
        self.shared.sessions.set_tag(tag);
        self.shared.view.known_mut().own = Some(tag);
        let address = self.shared.address;
        tracing::info!(%tag, %address, "this node has joined the cluster");
    }

    /// The node's tag is dead.
    fn given_up(&mut self) {
        // First, so that no request gets in between.
        self.shared.view.close();
        let former = {
            let mut known = self.shared.view.known_mut();
            let former = known.own.take();
            known.dead.extend(former);
            former
        };
        // A tag that was claimed and refused never had a session.
        let Some(former) = former else { return };
        // The next tag is not claimed yet, so no session may have it. Nothing is served under this one.
        let ended = self.shared.sessions.set_tag(NodeTag::random());
        self.shared.counters.given_up.add(1);
        tracing::error!(
            tag = %former,
            ended,
            address = %self.shared.address,
            "this node was given up: all its sessions have ended, and it goes on under another tag. It was stuck, or \
             cut off from the store, for longer than a lease, or another process has joined with its address"
        );
    }

    fn set_peer(&mut self, tag: NodeTag, card: Card) {
        let known = &mut self.shared.view.known_mut();
        let former = known.peers.get(&tag);
        let load = former.map_or(0, |former| {
            former.load.load(std::sync::atomic::Ordering::Relaxed)
        });
        let gone = former.map_or_else(CancellationToken::new, |former| former.gone.clone());
        let peer = Peer {
            tag,
            address: card.address,
            drains: card.drains,
            load: AtomicU64::new(load),
            gone,
        };
        known.peers.insert(tag, Arc::new(peer));
    }

    fn gone(&mut self, tag: NodeTag) {
        self.forgers.remove(&tag);
        let peer = {
            let mut known = self.shared.view.known_mut();
            known.dead.insert(tag);
            known.peers.remove(&tag)
        };
        self.shared.counters.verdicts_heard.add(1);
        if let Some(peer) = peer {
            tracing::info!(peer = %tag, address = %peer.address, "a node has left the cluster, or was given up");
            // Outside the lock: this wakes tasks.
            peer.gone.cancel();
        }
    }

    fn apply(&self, entry: &Entry) {
        let ending = Ending::open(&self.shared.secret, entry.by, entry.number, &entry.bytes);
        if let Some(ending) = ending
            && self.shared.end_here(&ending)
        {
            self.shared.counters.groups_ended.add(1);
        }
    }

    /// Takes the steps that follow from the end of the lease.
    pub(super) fn lapse(&mut self) {
        let slot = self.slot;
        let steps = self.node.lapse(self.now(), &mut || random_tag(slot));
        self.take(steps);
        self.open();
    }

    pub(super) async fn bury(&mut self) {
        let Some(burial) = self.node.burial() else {
            return;
        };
        match self.store.bury(burial.tag, burial.beat).await {
            Ok(is_dead) => {
                if is_dead && burial.beat.is_some() {
                    self.shared.counters.verdicts_written.add(1);
                    tracing::warn!(peer = %burial.tag, "a node was silent for longer than a lease, and is given up");
                }
                let steps = self.node.buried(self.now(), burial, is_dead);
                self.take(steps);
                self.settle();
            }
            Err(error) => self.call_failed(&error),
        }
    }
}
