//! Tags: the first bits of a session's id, which name the process that created it.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The tag of a node: the first 24 bits of the ids of all its sessions, where several processes serve as one.
///
/// Encoded it is 4 characters of base64url, the first of [`SessionId::encode`](crate::SessionId::encode). So a proxy can
/// read it, and a process can see without a look-up that an id is another's. It is not secret, and adds nothing to what
/// has to be guessed of an id.
///
/// A manager has no tag until [`set_tag`](crate::SessionManager::set_tag), and all 128 bits of its ids are random. A
/// process takes a random tag, and a new one whenever it starts. The first 2 characters can be a *slot*, a number that
/// the operator has chosen, for proxies with fixed tables.
///
/// ```
/// use session_core::NodeTag;
///
/// let tag = NodeTag::random_in(3).expect("a slot below 4096");
/// let text = tag.encode();
/// assert_eq!((text.len(), &text[..2]), (4, "AD"));
/// assert_eq!(NodeTag::decode(text.as_bytes()), Some(tag));
/// assert_eq!(tag.slot(), 3);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeTag(u32);

impl NodeTag {
    pub(crate) const BITS: u32 = 24;
    const SLOT_BITS: u32 = 12;

    /// Returns a random tag.
    ///
    /// # Panics
    ///
    /// If the operating system returns no random bits.
    pub fn random() -> Self {
        let mut bytes = [0; 3];
        getrandom::fill(&mut bytes).expect("the operating system returns random bits");
        Self::from_bytes(bytes)
    }

    /// Returns a random tag in this slot; `None` if the slot is not below 4096.
    ///
    /// The other 12 bits are random. So two of the tags that a slot has had are the same more often than two of
    /// [`random`](Self::random).
    ///
    /// # Panics
    ///
    /// As [`random`](Self::random).
    pub fn random_in(slot: u16) -> Option<Self> {
        let rest = Self::random().0 & ((1 << Self::SLOT_BITS) - 1);
        (slot < 1 << Self::SLOT_BITS).then(|| Self(u32::from(slot) << Self::SLOT_BITS | rest))
    }

    /// Returns the slot, below 4096: the 12 bits of the first 2 characters. Those of a tag that was not made in a slot are
    /// random.
    #[expect(clippy::cast_possible_truncation, reason = "12 bits")]
    pub fn slot(&self) -> u16 {
        (self.0 >> Self::SLOT_BITS) as u16
    }

    /// Returns the encoded tag: 4 characters of base64url.
    pub fn encode(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.bytes())
    }

    /// Parses a tag. Returns `None` if the text is not exactly an encoded tag.
    pub fn decode(text: &[u8]) -> Option<Self> {
        let mut bytes = [0; 3];
        match URL_SAFE_NO_PAD.decode_slice(text, &mut bytes) {
            Ok(3) => Some(Self::from_bytes(bytes)),
            _ => None,
        }
    }

    pub(crate) fn bytes(self) -> [u8; 3] {
        let [_, first, second, third] = self.0.to_be_bytes();
        [first, second, third]
    }

    fn from_bytes([first, second, third]: [u8; 3]) -> Self {
        Self(u32::from_be_bytes([0, first, second, third]))
    }

    pub(crate) fn bits(self) -> u32 {
        self.0
    }

    /// Returns the tag in the lowest bits, whatever the others are.
    pub(crate) fn of_bits(bits: u32) -> Self {
        Self(bits & ((1 << Self::BITS) - 1))
    }
}

impl fmt::Display for NodeTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.encode())
    }
}

impl fmt::Debug for NodeTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NodeTag({self})")
    }
}
