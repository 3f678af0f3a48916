//! The cluster's secret, under which nodes recognize each other's words.

use std::fmt;

use hmac::{Hmac, Mac as _};
use sha2::Sha256;

/// The length of a MAC, in bytes.
pub(crate) const MAC_LEN: usize = 32;

/// A MAC's purpose: one that was computed for another purpose never fits.
#[derive(Clone, Copy, Debug)]
#[repr(u8)]
pub(crate) enum Purpose {
    Card = 1,
    Entry = 2,
    Hop = 3,
}

#[derive(Clone)]
pub(crate) struct Secret(Hmac<Sha256>);

impl Secret {
    /// The least length, in bytes: that of a MAC.
    pub(crate) const MIN_LEN: usize = MAC_LEN;

    /// Returns `None` if the key is too short.
    pub(crate) fn new(key: &[u8]) -> Option<Self> {
        let mac = (key.len() >= Self::MIN_LEN).then(|| Hmac::new_from_slice(key))?;
        mac.ok().map(Self)
    }

    /// Computes a MAC over the parts. Each goes in with its length, so that no two lists of parts are the same.
    pub(crate) fn mac(&self, purpose: Purpose, parts: &[&[u8]]) -> [u8; MAC_LEN] {
        self.over(purpose, parts).finalize().into_bytes().into()
    }

    /// Whether this is the MAC over the parts. The time that it takes does not depend on where they differ.
    pub(crate) fn is_mac(&self, purpose: Purpose, parts: &[&[u8]], mac: &[u8]) -> bool {
        self.over(purpose, parts).verify_slice(mac).is_ok()
    }

    fn over(&self, purpose: Purpose, parts: &[&[u8]]) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        mac.update(&[purpose as u8]);
        for part in parts {
            mac.update(&part.len().to_be_bytes());
            mac.update(part);
        }
        mac
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c12_a_mac_fits_its_purpose_its_parts_and_its_secret_only() {
        let secret = Secret::new(&[7; 32]).unwrap();
        let mac = secret.mac(Purpose::Card, &[b"ab", b"c"]);
        assert!(secret.is_mac(Purpose::Card, &[b"ab", b"c"], &mac));
        assert!(!secret.is_mac(Purpose::Entry, &[b"ab", b"c"], &mac));
        assert!(!secret.is_mac(Purpose::Card, &[b"a", b"bc"], &mac));
        assert!(!secret.is_mac(Purpose::Card, &[b"ab", b"c"], &mac[1..]));
        let other = Secret::new(&[8; 32]).unwrap();
        assert!(!other.is_mac(Purpose::Card, &[b"ab", b"c"], &mac));
    }

    #[test]
    fn c12_a_short_secret_is_refused_and_none_is_shown() {
        assert!(Secret::new(&[7; 31]).is_none());
        assert_eq!(
            format!("{:?}", Secret::new(&[7; 32]).unwrap()),
            "Secret(..)"
        );
    }
}
