//! The nodes' words in the directory, sealed with the cluster's secret. A word whose seal does not fit is none.

pub(crate) mod card;
pub(crate) mod ending;

use crate::secret::{MAC_LEN, Purpose, Secret};

/// Appends the MAC over the text, for this writer.
fn seal(secret: &Secret, purpose: Purpose, writer: &[u8], mut text: Vec<u8>) -> Vec<u8> {
    let mac = secret.mac(purpose, &[writer, &text]);
    text.extend(mac);
    text
}

/// Returns the text, if its MAC fits.
fn open<'a>(
    secret: &Secret,
    purpose: Purpose,
    writer: &[u8],
    sealed: &'a [u8],
) -> Option<&'a [u8]> {
    let (text, mac) = sealed.split_at_checked(sealed.len().checked_sub(MAC_LEN)?)?;
    secret.is_mac(purpose, &[writer, text], mac).then_some(text)
}
