//! The header by which one node recognizes the requests of another.

use std::net::SocketAddr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderName, HeaderValue, Method};
use session_core::{GroupId, NodeTag};

use crate::secret::{MAC_LEN, Purpose, Secret};

/// In requests: a [`Word`]. In responses: a [`Misdirected`].
pub(crate) const HOP: HeaderName = HeaderName::from_static("session-cluster-hop");

const VERSION: &str = "1";
/// Stands for a part that is not there.
const NONE: &str = "-";

/// The word of one node to another, which comes with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Word {
    /// The sender, if it has a tag.
    pub(crate) from: Option<NodeTag>,
    pub(crate) to: NodeTag,
    pub(crate) errand: Errand,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Errand {
    /// A client's request. The address is that of the client, if the sender knows it.
    Hop(Option<SocketAddr>),
    /// The node's own question for the sessions of a group.
    List(GroupId),
}

impl Word {
    /// Returns the header's value, which fits a request of this method and target only.
    pub(crate) fn seal(&self, secret: &Secret, method: &Method, target: &str) -> HeaderValue {
        let from = self.from.map_or_else(|| NONE.into(), |from| from.encode());
        let (errand, about) = match &self.errand {
            Errand::Hop(client) => {
                let client = client.map_or_else(|| NONE.into(), |client| client.to_string());
                ("hop", client)
            }
            Errand::List(group) => ("list", URL_SAFE_NO_PAD.encode(group.as_str())),
        };
        let mut word = format!("{VERSION} {errand} {from} {} {about}", self.to.encode());
        let mac = secret.mac(Purpose::Hop, &parts(&word, method, target));
        word.push(' ');
        URL_SAFE_NO_PAD.encode_string(mac, &mut word);
        let mut value =
            HeaderValue::try_from(word).expect("it is ASCII without control characters");
        value.set_sensitive(true);
        value
    }

    /// Returns `None` if no node of the cluster has written this for such a request.
    pub(crate) fn open(
        value: &HeaderValue,
        secret: &Secret,
        method: &Method,
        target: &str,
    ) -> Option<Self> {
        let (word, mac) = value.to_str().ok()?.rsplit_once(' ')?;
        let mut decoded = [0; MAC_LEN];
        if URL_SAFE_NO_PAD.decode_slice(mac, &mut decoded).ok()? != MAC_LEN
            || !secret.is_mac(Purpose::Hop, &parts(word, method, target), &decoded)
        {
            return None;
        }
        let mut words = word.split(' ');
        let mut next = || words.next();
        let (VERSION, errand, from, to, about) = (next()?, next()?, next()?, next()?, next()?)
        else {
            return None;
        };
        let errand = match errand {
            "hop" if about == NONE => Errand::Hop(None),
            "hop" => Errand::Hop(Some(about.parse().ok()?)),
            "list" => {
                let group = URL_SAFE_NO_PAD.decode(about).ok()?;
                Errand::List(String::from_utf8(group).ok()?.into())
            }
            _ => return None,
        };
        Some(Self {
            from: NodeTag::decode(from.as_bytes()),
            to: NodeTag::decode(to.as_bytes())?,
            errand,
        })
    }
}

fn parts<'p>(word: &'p str, method: &'p Method, target: &'p str) -> [&'p [u8]; 3] {
    [
        word.as_bytes(),
        method.as_str().as_bytes(),
        target.as_bytes(),
    ]
}

/// The reason why a node answers 421 to the hop. The application's own 421 has no such header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Misdirected {
    /// It has another tag.
    OtherTag,
    /// It creates no new sessions, and has none for this request.
    Drains,
}

impl Misdirected {
    pub(crate) fn value(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::OtherTag => "other-tag",
            Self::Drains => "drains",
        })
    }

    pub(crate) fn of(value: &HeaderValue) -> Option<Self> {
        match value.as_bytes() {
            b"other-tag" => Some(Self::OtherTag),
            b"drains" => Some(Self::Drains),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words() -> [Word; 4] {
        let [from, to] = ["AAAA", "BBBB"].map(|tag| NodeTag::decode(tag.as_bytes()).unwrap());
        let word = |from, errand| Word { from, to, errand };
        [
            word(Some(from), Errand::Hop("1.2.3.4:5".parse().ok())),
            word(None, Errand::Hop("[::1]:5".parse().ok())),
            word(Some(from), Errand::Hop(None)),
            word(Some(from), Errand::List("a group of - ünï\n".into())),
        ]
    }

    #[test]
    fn c15_a_word_is_read_as_it_was_written_by_those_with_the_secret_only() {
        let secret = Secret::new(&[7; 32]).unwrap();
        let other = Secret::new(&[8; 32]).unwrap();
        for word in words() {
            let value = word.seal(&secret, &Method::GET, "/a?b");
            let open = |secret, method, target| Word::open(&value, secret, method, target);
            assert_eq!(open(&secret, &Method::GET, "/a?b"), Some(word));
            assert_eq!(open(&other, &Method::GET, "/a?b"), None);
            assert_eq!(open(&secret, &Method::POST, "/a?b"), None);
            assert_eq!(open(&secret, &Method::GET, "/a?c"), None);
            assert_eq!(open(&secret, &Method::GET, "/a"), None);
        }
    }

    #[test]
    fn c15_a_word_with_any_byte_changed_or_cut_off_is_none() {
        let secret = Secret::new(&[7; 32]).unwrap();
        for word in words() {
            let value = word.seal(&secret, &Method::GET, "/");
            let bytes = value.as_bytes();
            for place in 0..bytes.len() {
                let mut forged = bytes.to_vec();
                forged[place] = if forged[place] == b'x' { b'y' } else { b'x' };
                for forged in [&forged, &bytes[..place], &bytes[place + 1..]] {
                    let forged = HeaderValue::from_bytes(forged).unwrap();
                    assert_eq!(Word::open(&forged, &secret, &Method::GET, "/"), None);
                }
            }
        }
    }
}
