//! A loopback address for each test, so that its processes can come back at the ports that they had: nobody else takes a
//! port at an address that only this test knows.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU8, Ordering};

/// A loopback address of the test's own.
#[derive(Clone, Copy)]
pub(crate) struct Place(IpAddr);

impl Place {
    pub(crate) fn new() -> Self {
        static PLACES: AtomicU8 = AtomicU8::new(1);
        let [.., high, low] = std::process::id().to_be_bytes();
        let place = PLACES.fetch_add(1, Ordering::Relaxed);
        Self(Ipv4Addr::new(127, place, high, low).into())
    }

    pub(crate) fn port(self, port: u16) -> SocketAddr {
        (self.0, port).into()
    }
}
