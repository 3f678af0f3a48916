//! Values on the command line. An error is one line for the user.

use std::ffi::OsStr;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::Duration;

/// Reads the value of an option, which takes what is `wanted`.
pub(crate) fn value<T: FromStr>(
    given: Option<impl AsRef<OsStr>>,
    option: &str,
    wanted: &str,
) -> Result<T, String> {
    given
        .and_then(|given| given.as_ref().to_str()?.parse().ok())
        .ok_or_else(|| format!("{option} takes {wanted}"))
}

pub(crate) fn seconds(given: Option<impl AsRef<OsStr>>, option: &str) -> Result<Duration, String> {
    let seconds: NonZeroU32 = value(given, option, "a whole number of seconds, 1 or more")?;
    Ok(Duration::from_secs(seconds.get().into()))
}

/// Reads an address that is this machine's alone: elsewhere, anybody on the way could read along.
pub(crate) fn loopback(
    given: Option<impl AsRef<OsStr>>,
    option: &str,
) -> Result<SocketAddr, String> {
    let wanted = "a loopback address like 127.0.0.1:3000, since it is for this machine only";
    let address: SocketAddr = value(given, option, wanted)?;
    if address.ip().is_loopback() {
        Ok(address)
    } else {
        Err(format!("{option} takes {wanted}"))
    }
}
