//! A connection to another node that can be cut.
//!
//! hyper's client notices that a response's body was dropped only when more of it comes in. An event stream may be silent
//! for long, and its owner must learn at once that the client has hung up.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::{Extensions, Uri};
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tower_service::Service;

#[derive(Clone)]
pub(crate) struct Connector(pub(super) HttpConnector);

/// Cuts the connection that a response has come on. It is in the response's extensions.
#[derive(Clone)]
pub(super) struct Cut(CancellationToken);

impl Cut {
    pub(super) fn of(response: &Extensions) -> Option<Self> {
        response.get().cloned()
    }

    pub(super) fn cut(&self) {
        self.0.cancel();
    }
}

pub(crate) struct Cuttable {
    io: TokioIo<TcpStream>,
    cut: CancellationToken,
    is_cut: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl Service<Uri> for Connector {
    type Response = Cuttable;
    type Error = <HttpConnector as Service<Uri>>::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Cuttable, Self::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(cx)
    }

    fn call(&mut self, node: Uri) -> Self::Future {
        let connecting = self.0.call(node);
        Box::pin(async {
            let cut = CancellationToken::new();
            Ok(Cuttable {
                io: connecting.await?,
                is_cut: Box::pin(cut.clone().cancelled_owned()),
                cut,
            })
        })
    }
}

impl Connection for Cuttable {
    fn connected(&self) -> Connected {
        self.io.connected().extra(Cut(self.cut.clone()))
    }
}

impl Read for Cuttable {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        if self.is_cut.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        Pin::new(&mut self.io).poll_read(cx, buffer)
    }
}

impl Write for Cuttable {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write_vectored(cx, bytes)
    }
}
