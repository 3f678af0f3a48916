//! Keys: the names that an application has for sessions, and the hash that a manager keeps of one.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use siphasher::sip128::{Hasher128 as _, SipHasher24};

/// A name that the application has for a session: another framework's session id, a tenant, a device.
///
/// It is bytes of any length, and not empty. [`get_or_create_keyed`] finds the session with it, and
/// [`Session::rekey`] changes it. A client that knows another framework's session id holds that session, so a key is
/// treated like an id: `Debug` does not show it, and the manager keeps only a hash of it, of 128 bits, under a secret
/// of its own.
///
/// ```
/// use session_core::SessionKey;
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let key = SessionKey::new("tenant:7")?;
/// assert_eq!(format!("{key:?}"), "SessionKey(..)");
/// assert!(SessionKey::new([]).is_err());
/// # Ok(()) }
/// ```
///
/// [`get_or_create_keyed`]: crate::SessionManager::get_or_create_keyed
/// [`Session::rekey`]: crate::Session::rekey
#[derive(Clone)]
pub struct SessionKey(Arc<[u8]>);

impl SessionKey {
    /// Returns the key of these bytes. It copies them.
    ///
    /// # Errors
    ///
    /// [`EmptySessionKey`] if there are none.
    pub fn new(bytes: impl AsRef<[u8]>) -> Result<Self, EmptySessionKey> {
        match bytes.as_ref() {
            [] => Err(EmptySessionKey),
            bytes => Ok(Self(bytes.into())),
        }
    }

    /// Returns the hash of the key under this secret.
    pub(crate) fn hash(&self, secret: &[u8; 16]) -> KeyHash {
        let mut hasher = SipHasher24::new_with_key(secret);
        hasher.write(&self.0);
        let (low, high) = hasher.finish128().as_u64();
        KeyHash([low, high])
    }
}

impl fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionKey(..)")
    }
}

/// The hash of a key: SipHash-2-4 with 128 bits, under the manager's secret. A client that can choose keys can't
/// compute it, so it can't find two keys of one hash.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct KeyHash([u64; 2]);

impl Hash for KeyHash {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let [low, high] = self.0.map(u128::from);
        state.write_u128(high << 64 | low);
    }
}

/// A session key was empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EmptySessionKey;

impl fmt::Display for EmptySessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a session key must not be empty")
    }
}

impl std::error::Error for EmptySessionKey {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r28_the_hash_has_128_bits_and_is_under_the_secret() {
        let key = SessionKey::new("key").unwrap();
        let hash = key.hash(&[1; 16]);
        assert!(hash == key.clone().hash(&[1; 16]));
        let others = [
            key.hash(&[2; 16]),
            SessionKey::new("kez").unwrap().hash(&[1; 16]),
            SessionKey::new("key\0").unwrap().hash(&[1; 16]),
        ];
        for other in others {
            assert!(hash.0[0] != other.0[0] && hash.0[1] != other.0[1]);
        }
    }
}
