//! A browser that visits a program.

use std::net::SocketAddr;

use axum::BoxError;
use axum::body::Body;
use axum::http::header::{HOST, ORIGIN};
use axum::http::{Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::client::conn::http1::handshake;
use hyper::upgrade;
use hyper_util::rt::TokioIo;
use session_test::Browser;
use tokio::io::copy_bidirectional;
use tokio::net::TcpStream;
use tokio::try_join;
use tower::service_fn;

/// Returns a browser that visits the program at this address, and names it in `Host` and `Origin`. Each request has a
/// connection of its own, which a request that is dropped closes.
pub(crate) fn browser(address: SocketAddr) -> Browser {
    Browser::new(service_fn(move |request| send(address, request)))
}

/// The same, from before there was `Sec-Fetch-Site`.
pub(crate) fn old_browser(address: SocketAddr) -> Browser {
    Browser::new(service_fn(move |mut request: Request<Body>| {
        request.headers_mut().remove("sec-fetch-site");
        send(address, request)
    }))
}

async fn send(
    address: SocketAddr,
    mut request: Request<Body>,
) -> Result<Response<Incoming>, BoxError> {
    for (name, usual, own) in [
        (HOST, "localhost", address.to_string()),
        (ORIGIN, "https://localhost", format!("http://{address}")),
    ] {
        let value = request.headers_mut().get_mut(name);
        if let Some(value) = value.filter(|value| *value == usual) {
            *value = own.try_into()?;
        }
    }
    let stream = TcpStream::connect(address).await?;
    let (mut sender, connection) = handshake(TokioIo::new(stream)).await?;
    // It ends with the response's body, or with the upgrade.
    tokio::spawn(connection.with_upgrades());
    let near = upgrade::on(&mut request);
    let mut response = sender.send_request(request).await?;
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        let far = upgrade::on(&mut response);
        tokio::spawn(async {
            let (near, far) = try_join!(near, far)?;
            copy_bidirectional(&mut TokioIo::new(near), &mut TokioIo::new(far)).await?;
            Ok::<(), BoxError>(())
        });
    }
    Ok(response)
}

/// The name and value of the browser's cookie with this name.
pub(crate) fn cookie(browser: &Browser, name: &str) -> String {
    let value = browser.cookie(name).expect("it has a session");
    format!("{name}={value}")
}
