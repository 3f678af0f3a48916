//! The wire between a node and the store, which can be cut.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::sleep;

/// The state of a wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wire {
    /// All passes.
    Whole,
    /// All passes, this much later.
    Slow(Duration),
    /// Connections are closed, and new ones at once.
    Cut,
    /// Connections stay, and nothing passes; it does when the wire is whole again.
    Silent,
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct State {
    wire: Wire,
    to: SocketAddr,
}

pub(crate) struct Proxy {
    state: watch::Sender<State>,
    task: JoinHandle<()>,
}

impl Proxy {
    pub(crate) async fn start(at: SocketAddr, to: SocketAddr) -> Self {
        let listener = TcpListener::bind(at).await.unwrap();
        let (state, watched) = watch::channel(State {
            wire: Wire::Whole,
            to,
        });
        let task = tokio::spawn(async move {
            while let Ok((from, _)) = listener.accept().await {
                tokio::spawn(carry(from, watched.clone()));
            }
        });
        Self { state, task }
    }

    pub(crate) fn set(&self, wire: Wire) {
        self.state.send_modify(|state| state.wire = wire);
    }

    /// Leads to another store from now on. Connections to the earlier one are closed.
    pub(crate) fn lead_to(&self, to: SocketAddr) {
        self.state.send_modify(|state| state.to = to);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn carry(from: TcpStream, mut state: watch::Receiver<State>) {
    let State { wire, to } = *state.borrow();
    if wire == Wire::Cut {
        return;
    }
    let Ok(onward) = TcpStream::connect(to).await else {
        return;
    };
    let (from_read, from_write) = from.into_split();
    let (onward_read, onward_write) = onward.into_split();
    tokio::select! {
        () = pump(from_read, onward_write, state.clone()) => {}
        () = pump(onward_read, from_write, state.clone()) => {}
        _ = state.wait_for(|state| state.wire == Wire::Cut || state.to != to) => {}
    }
}

async fn pump(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut state: watch::Receiver<State>) {
    let mut buffer = vec![0; 16 << 10];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        let Ok(wire) = state
            .wait_for(|state| state.wire != Wire::Silent)
            .await
            .map(|state| state.wire)
        else {
            return;
        };
        if let Wire::Slow(time) = wire {
            sleep(time).await;
        }
        if to.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
}
