//! The other nodes, as the last answers showed them, and which of them have fallen silent.

use std::collections::BTreeMap;

use session_core::NodeTag;

use crate::directory::{Beat, Pulse};
use crate::protocol::step::{Moment, Step};
use crate::times::Times;

/// Another node that has no verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Peer<C> {
    /// Its last card that was believed.
    pub(crate) card: Option<C>,
    /// The number of its active sessions.
    pub(crate) load: u64,
    beat: Beat,
    /// The time at which the answer came in that first showed this beat.
    since: Moment,
}

#[derive(Debug)]
pub(super) struct Membership<C> {
    /// A peer that the store has lost stays: it claims its tag again, or falls silent.
    peers: BTreeMap<NodeTag, Peer<C>>,
    /// The peers that were silent for too long, by the last answer.
    silent: BTreeMap<NodeTag, Beat>,
    /// The time at which the last question that was answered went out.
    looked: Option<Moment>,
}

impl<C> Default for Membership<C> {
    fn default() -> Self {
        Self {
            peers: BTreeMap::new(),
            silent: BTreeMap::new(),
            looked: None,
        }
    }
}

impl<C: Clone + PartialEq> Membership<C> {
    pub(super) fn get(&self, tag: NodeTag) -> Option<&Peer<C>> {
        self.peers.get(&tag)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (NodeTag, &Peer<C>)> {
        self.peers.iter().map(|(tag, peer)| (*tag, peer))
    }

    /// Whether the observer has not looked for so long that a beat that stood still in between means nothing.
    pub(super) fn was_away(&self, sent: Moment, times: &Times) -> bool {
        self.looked
            .is_some_and(|looked| sent > looked + times.gap())
    }

    /// Takes in the beats of an answer to a question that went out at `sent`. An observer that starts `anew` counts all
    /// silence from now on.
    pub(super) fn take_in(
        &mut self,
        now: Moment,
        sent: Moment,
        anew: bool,
        pulses: Vec<(NodeTag, Pulse)>,
        times: &Times,
    ) {
        self.looked = Some(sent);
        for (tag, Pulse { beat, load }) in pulses {
            let peer = self.peers.entry(tag).or_insert(Peer {
                card: None,
                load,
                beat,
                since: now,
            });
            peer.load = load;
            if peer.beat != beat {
                peer.beat = beat;
                peer.since = now;
            }
        }
        if anew {
            for peer in self.peers.values_mut() {
                peer.since = now;
            }
        }
        let silent = self
            .peers
            .iter()
            .filter(|(_, peer)| sent.saturating_sub(peer.since) >= times.silence());
        self.silent = silent.map(|(tag, peer)| (*tag, peer.beat)).collect();
    }

    pub(super) fn set_card(&mut self, tag: NodeTag, card: C) -> Option<Step<C>> {
        let peer = self.peers.get_mut(&tag)?;
        match peer.card.replace(card.clone()) {
            None => Some(Step::Appeared(tag, card)),
            Some(former) if former != card => Some(Step::Changed(tag, card)),
            Some(_) => None,
        }
    }

    pub(super) fn remove(&mut self, tag: NodeTag) {
        self.peers.remove(&tag);
        self.silent.remove(&tag);
    }

    /// The next peer to give up, with the beat at which it fell silent.
    pub(super) fn silent(&self) -> Option<(NodeTag, Beat)> {
        self.silent.iter().next().map(|(tag, beat)| (*tag, *beat))
    }

    /// Does not give this peer up before another answer says so.
    pub(super) fn forget_silence(&mut self, tag: NodeTag) {
        self.silent.remove(&tag);
    }

    pub(super) fn forget_all_silence(&mut self) {
        self.silent.clear();
    }
}
