//! A node's card: where it is reached, and whether it drains.

use std::net::SocketAddr;
use std::str;

use session_core::NodeTag;

use crate::sealed::{open, seal};
use crate::secret::{Purpose, Secret};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Card {
    pub(crate) address: SocketAddr,
    pub(crate) drains: bool,
}

/// The format's version, with the flag.
const SERVES: u8 = b's';
const DRAINS: u8 = b'd';

impl Card {
    pub(crate) fn sealed(&self, secret: &Secret, tag: NodeTag) -> Vec<u8> {
        let mode = if self.drains { DRAINS } else { SERVES };
        let mut text = vec![mode];
        text.extend(self.address.to_string().bytes());
        seal(secret, Purpose::Card, tag.encode().as_bytes(), text)
    }

    /// Returns the card, if the node with this tag has sealed it.
    pub(crate) fn open(secret: &Secret, tag: NodeTag, sealed: &[u8]) -> Option<Self> {
        let text = open(secret, Purpose::Card, tag.encode().as_bytes(), sealed)?;
        let (mode, address) = text.split_first()?;
        let drains = match *mode {
            SERVES => false,
            DRAINS => true,
            _ => return None,
        };
        let address = str::from_utf8(address).ok()?.parse().ok()?;
        Some(Self { address, drains })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c12_a_card_opens_for_its_tag_and_under_its_secret_only() {
        let secret = Secret::new(&[7; 32]).unwrap();
        let tag = NodeTag::decode(b"aaaa").unwrap();
        for address in ["127.0.0.1:80", "[2001:db8::1]:443"] {
            for drains in [false, true] {
                let address = address.parse().unwrap();
                let card = Card { address, drains };
                let sealed = card.sealed(&secret, tag);
                assert_eq!(Card::open(&secret, tag, &sealed), Some(card));

                let other = NodeTag::decode(b"aaab").unwrap();
                assert_eq!(Card::open(&secret, other, &sealed), None);
                let others = Secret::new(&[8; 32]).unwrap();
                assert_eq!(Card::open(&others, tag, &sealed), None);
                for place in 0..sealed.len() {
                    let mut changed = sealed.clone();
                    changed[place] ^= 1;
                    assert_eq!(Card::open(&secret, tag, &changed), None);
                    assert_eq!(Card::open(&secret, tag, &sealed[..place]), None);
                }
            }
        }
    }
}
