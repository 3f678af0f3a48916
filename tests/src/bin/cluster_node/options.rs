//! The arguments.

use std::net::SocketAddr;
use std::time::Duration;

/// A node's settings, each of which is an argument.
pub(crate) struct Options {
    /// The name that its answers have.
    pub(crate) name: String,
    /// The address at which it listens.
    pub(crate) address: SocketAddr,
    /// The address at which the others are told that it listens.
    pub(crate) advertise: SocketAddr,
    pub(crate) redis: String,
    pub(crate) lease: Duration,
    pub(crate) period: Duration,
    pub(crate) store_timeout: Duration,
    pub(crate) patience: Duration,
    /// The time that its sessions have when it is told to go.
    pub(crate) drain: Duration,
    pub(crate) cut_off: String,
    pub(crate) routing: String,
    pub(crate) slot: Option<u16>,
}

impl Options {
    pub(crate) fn from_arguments(arguments: impl Iterator<Item = String>) -> Self {
        let arguments: Vec<_> = arguments.collect();
        let find = |key: &str| {
            let of_key = |argument: &String| {
                argument
                    .strip_prefix(key)?
                    .strip_prefix('=')
                    .map(str::to_owned)
            };
            arguments.iter().find_map(of_key)
        };
        let text = |key: &str| find(key).unwrap_or_else(|| panic!("`{key}` is missing"));
        let address = |key: &str| text(key).parse().expect("it is an address");
        let millis = |key: &str| Duration::from_millis(text(key).parse().expect("it is a number"));
        Self {
            name: text("name"),
            address: address("address"),
            advertise: address("advertise"),
            redis: text("redis"),
            lease: millis("lease"),
            period: millis("period"),
            store_timeout: millis("store-timeout"),
            patience: millis("patience"),
            drain: millis("drain"),
            cut_off: text("cut-off"),
            routing: text("routing"),
            slot: find("slot").map(|slot| slot.parse().expect("it is a number")),
        }
    }
}
