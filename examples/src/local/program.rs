//! The program around a server: where it listens, and how it ends.

use std::fmt::Display;
use std::io;
use std::net::SocketAddr;
use std::process::ExitCode;

use tokio::net::TcpListener;

use super::serving::End;

/// The address can't be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address}: {error}")]
pub(crate) struct ListenError {
    address: SocketAddr,
    error: io::Error,
}

pub(crate) async fn listen(address: SocketAddr) -> Result<TcpListener, ListenError> {
    let listener = TcpListener::bind(address).await;
    listener.map_err(|error| ListenError { address, error })
}

/// Says in a line what is wrong, and returns the program's code for it.
pub(crate) fn failure(program: &str, message: impl Display, code: u8) -> ExitCode {
    eprintln!("{program}: {message}");
    ExitCode::from(code)
}

/// Returns the code of a program that has served.
pub(crate) fn exit_code(program: &str, served: Result<End, impl Display>) -> ExitCode {
    match served {
        Ok(End::InOrder) => ExitCode::SUCCESS,
        // That of a shell's command that Ctrl-C has ended.
        Ok(End::AtOnce) => ExitCode::from(130),
        Err(error) => failure(program, error, 1),
    }
}
