//! The tunnel between a client and the owner after an upgrade: bytes, whatever their protocol.

use http::Extensions;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use session_axum::Sockets;
use tokio::io::copy_bidirectional;

use super::Life;

/// Connects the two sides once both are upgraded, until one hangs up, the owner is gone, or the server shuts down.
pub(super) fn open(client: OnUpgrade, owner: OnUpgrade, life: Life, request: &Extensions) {
    let tunnel = async move {
        let Ok((client, owner)) = futures_util::try_join!(client, owner) else {
            return;
        };
        let (mut client, mut owner) = (TokioIo::new(client), TokioIo::new(owner));
        let copied = copy_bidirectional(&mut client, &mut owner);
        if life.gone.run_until_cancelled(copied).await.is_none() {
            life.cut.add(1);
        }
    };
    match request.get::<Sockets>() {
        Some(sockets) => sockets.spawn_until_shutdown(tunnel),
        None => drop(tokio::spawn(tunnel)),
    }
}
