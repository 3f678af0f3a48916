//! Session ids and group ids: how they are created, encoded, parsed and shown.

pub(crate) mod node_tag;
pub(crate) mod session_key;

use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::id::node_tag::NodeTag;

/// The id of a session: 128 random bits from the operating system. If the manager has a [tag](NodeTag), the first 24 are
/// the tag, and 104 are random.
///
/// On the wire it is base64url without padding ([RFC 4648, section 5]): 22 characters. Parsing is strict:
/// the right length, that alphabet, no padding, no stray bits. A client that knows an id holds the session, so
/// `Debug` does not show it. Logs and events name a session by its
/// [`serial`](crate::LocalSession::serial).
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use session_core::{SessionId, SessionManager};
///
/// let sessions = SessionManager::builder().build()?;
/// let id = sessions.create()?.id();
/// let text = id.encode();
/// assert_eq!(text.len(), 22);
/// assert_eq!(text.parse::<SessionId>()?, id);
/// assert_eq!(format!("{id:?}"), "SessionId(..)");
/// # Ok(()) }
/// ```
///
/// [RFC 4648, section 5]: https://www.rfc-editor.org/rfc/rfc4648#section-5
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SessionId([u64; 2]);

impl SessionId {
    /// The length of an encoded id, in bytes.
    pub const ENCODED_LEN: usize = 22;

    /// Returns a new id, with this tag if there is one.
    ///
    /// # Panics
    ///
    /// If the operating system returns no random bits.
    pub(crate) fn random(tag: Option<NodeTag>) -> Self {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).expect("the operating system returns random bits");
        if let Some(tag) = tag {
            bytes[..3].copy_from_slice(&tag.bytes());
        }
        Self::from_bytes(bytes)
    }

    /// Stores two words rather than one of 128 bits, whose alignment would cost a session 16 bytes.
    #[inline]
    fn from_bytes(bytes: [u8; 16]) -> Self {
        let bits = u128::from_be_bytes(bytes);
        #[expect(clippy::cast_possible_truncation, reason = "the two halves")]
        let (high, low) = ((bits >> 64) as u64, bits as u64);
        Self([high, low])
    }

    #[inline]
    fn bits(self) -> u128 {
        let [high, low] = self.0.map(u128::from);
        high << 64 | low
    }

    /// Returns the first 24 bits, which are the first 4 characters of the encoded id. If its manager has a tag, this is
    /// the tag; otherwise they are random.
    pub fn tag(&self) -> NodeTag {
        NodeTag::of_bits((self.0[0] >> (u64::BITS - NodeTag::BITS)) as u32)
    }

    /// Returns the encoded id: 22 characters of base64url.
    pub fn encode(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.bits().to_be_bytes())
    }

    /// Parses an id from the bytes of a header. Returns `None` if they are not exactly an encoded id.
    #[inline]
    pub fn decode(text: &[u8]) -> Option<Self> {
        // The decoder needs room for a whole last group.
        let mut bytes = [0; 18];
        if text.len() != Self::ENCODED_LEN {
            return None;
        }
        match URL_SAFE_NO_PAD.decode_slice(text, &mut bytes) {
            Ok(16) => bytes.first_chunk().map(|id| Self::from_bytes(*id)),
            _ => None,
        }
    }
}

impl Hash for SessionId {
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u128(self.bits());
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionId(..)")
    }
}

impl FromStr for SessionId {
    type Err = ParseSessionIdError;

    fn from_str(text: &str) -> Result<Self, ParseSessionIdError> {
        Self::decode(text.as_bytes()).ok_or(ParseSessionIdError)
    }
}

/// The text is not a session id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseSessionIdError;

impl fmt::Display for ParseSessionIdError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a session id is 22 characters of base64url without padding")
    }
}

impl std::error::Error for ParseSessionIdError {}

/// The name of a session group: one user, one tenant, one browser. The application chooses it.
///
/// ```
/// use session_core::GroupId;
/// assert_eq!(GroupId::from("user:42").as_str(), "user:42");
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GroupId(Arc<str>);

impl GroupId {
    /// Returns the name, unchanged.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for GroupId {
    fn from(name: &str) -> Self {
        Self(name.into())
    }
}

impl From<String> for GroupId {
    fn from(name: String) -> Self {
        Self(name.into())
    }
}

impl fmt::Debug for GroupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for GroupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Uses the random bits of a session's id or key as its hash.
#[derive(Clone, Copy, Default)]
pub(crate) struct IdHasher(u64);

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.0 ^= u64::from_ne_bytes(word);
        }
    }

    #[inline]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "half of the random bits is plenty"
    )]
    fn write_u128(&mut self, bits: u128) {
        self.0 = bits as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r18_parsing_is_strict() {
        let id = SessionId::random(None);
        let text = id.encode();
        assert_eq!(text.parse(), Ok(id));
        for wrong in [
            String::new(),
            text[1..].to_owned(),
            format!("{text}A"),
            format!("{text}=="),
            format!(" {}", &text[1..]),
            format!("{}+", &text[..21]),
            format!("{}/", &text[..21]),
            // The last character carries four bits that are not part of an id.
            format!("{}B", &text[..21]),
        ] {
            assert_eq!(
                wrong.parse::<SessionId>(),
                Err(ParseSessionIdError),
                "{wrong:?}"
            );
        }
    }

    #[test]
    fn r18_debug_shows_nothing_of_an_id() {
        let ids = [SessionId([0; 2]), SessionId([u64::MAX; 2])];
        assert!(ids.iter().all(|id| format!("{id:?}") == "SessionId(..)"));
    }
}
