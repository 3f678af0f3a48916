//! The host name that the request was sent to.

use std::net::IpAddr;

use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header::HOST;
use axum::http::uri::Authority;
use axum::middleware::Next;
use axum::response::Response;

use super::problem::answer;

/// Refuses requests that were sent to a name other than this machine's own.
///
/// Any site can point its own name at 127.0.0.1. Its pages then reach a server on loopback as if they were its own.
pub(crate) async fn only_local(request: Request, next: Next) -> Response {
    let host = request.headers().get(HOST);
    if host.is_some_and(|host| is_local(host.as_bytes())) {
        return next.run(request).await;
    }
    answer(
        StatusCode::MISDIRECTED_REQUEST,
        "The request is for another server",
        "use localhost or a loopback address",
    )
}

fn is_local(host: &[u8]) -> bool {
    Authority::try_from(host).is_ok_and(|authority| {
        let name = authority.host();
        let address = name.trim_start_matches('[').trim_end_matches(']');
        name.eq_ignore_ascii_case("localhost")
            || address.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
    })
}

#[cfg(test)]
mod tests {
    use super::is_local;

    #[test]
    fn this_machine_has_few_names() {
        for host in [
            "localhost",
            "LocalHost:3000",
            "127.0.0.1:1",
            "127.9.9.9",
            "[::1]:3000",
        ] {
            assert!(is_local(host.as_bytes()), "{host}");
        }
        for host in [
            "",
            "evil.example",
            "localhost.evil.example:3000",
            "127.0.0.1.evil.example",
            "10.0.0.1",
            "[::2]",
            "\u{e9}",
        ] {
            assert!(!is_local(host.as_bytes()), "{host}");
        }
    }
}
