//! The end of a group, as the log tells it.

use std::str;

use session_core::{GroupId, NodeTag};

use crate::sealed::{open, seal};
use crate::secret::{Purpose, Secret};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ending {
    pub(crate) group: GroupId,
    /// Empty if there is none.
    pub(crate) reason: String,
}

/// The format's version.
const ENDING: u8 = b'e';

impl Ending {
    pub(crate) fn sealed(&self, secret: &Secret, by: NodeTag, number: u64) -> Vec<u8> {
        let group = self.group.as_str().as_bytes();
        let mut text = vec![ENDING];
        text.extend((group.len() as u64).to_be_bytes());
        text.extend(group);
        text.extend(self.reason.bytes());
        seal(secret, Purpose::Entry, &writer(by, number), text)
    }

    /// Returns the ending, if this node has sealed it under this number.
    pub(crate) fn open(secret: &Secret, by: NodeTag, number: u64, sealed: &[u8]) -> Option<Self> {
        let text = open(secret, Purpose::Entry, &writer(by, number), sealed)?;
        let (&[ENDING], text) = text.split_first_chunk()? else {
            return None;
        };
        let (len, text) = text.split_first_chunk()?;
        let len = usize::try_from(u64::from_be_bytes(*len)).ok()?;
        let (group, reason) = text.split_at_checked(len)?;
        let group = str::from_utf8(group).ok()?.into();
        let reason = str::from_utf8(reason).ok()?.to_owned();
        Some(Self { group, reason })
    }
}

/// The entry's name.
fn writer(by: NodeTag, number: u64) -> Vec<u8> {
    let mut writer = by.encode().into_bytes();
    writer.extend(number.to_be_bytes());
    writer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c12_an_ending_opens_under_its_name_and_its_secret_only() {
        let secret = Secret::new(&[7; 32]).unwrap();
        let [by, other] = [b"aaaa", b"aaab"].map(|tag| NodeTag::decode(tag).unwrap());
        let ending = Ending {
            group: "user:42".into(),
            reason: "the password was changed".to_owned(),
        };
        let sealed = ending.sealed(&secret, by, 3);
        assert_eq!(Ending::open(&secret, by, 3, &sealed), Some(ending));
        assert_eq!(Ending::open(&secret, by, 4, &sealed), None);
        assert_eq!(Ending::open(&secret, other, 3, &sealed), None);
        let others = Secret::new(&[8; 32]).unwrap();
        assert_eq!(Ending::open(&others, by, 3, &sealed), None);
        for place in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[place] ^= 1;
            assert_eq!(Ending::open(&secret, by, 3, &changed), None);
            assert_eq!(Ending::open(&secret, by, 3, &sealed[..place]), None);
        }
    }
}
