//! The load balancer: it passes each connection to one of the nodes, in turn, and knows nothing of sessions.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::serve::Listener;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use super::board::Board;

/// How long a node may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

pub(crate) async fn forward(mut listener: TcpListener, board: Arc<Board>) {
    for turn in 0.. {
        let (client, _) = Listener::accept(&mut listener).await;
        tokio::spawn(pass(client, board.nodes_in_turn(turn)));
    }
}

/// Passes the connection to the first of these nodes that accepts it. If there is none, the client's is closed.
async fn pass(mut client: TcpStream, nodes: Vec<SocketAddr>) {
    for address in nodes {
        let connected = timeout(CONNECT_TIMEOUT, TcpStream::connect(address)).await;
        if let Ok(Ok(mut node)) = connected {
            // It ends with either side, and nobody has to hear of it.
            let _ = copy_bidirectional(&mut client, &mut node).await;
            return;
        }
    }
}
