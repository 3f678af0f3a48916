//! The heads of messages on the hop: what belongs to one connection only does not pass
//! ([RFC 9110, section 7.6.1](https://www.rfc-editor.org/rfc/rfc9110#section-7.6.1)).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{
    AUTHORIZATION, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, COOKIE, EXPECT, FORWARDED, HOST,
    PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, TE,
    TRANSFER_ENCODING, UPGRADE,
};
use http::request::Parts;
use http::response;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version};
use hyper::ext::Protocol;

use crate::hop::HOP;

const OF_ONE_CONNECTION: [HeaderName; 8] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    PROXY_AUTHENTICATE,
    PROXY_AUTHORIZATION,
    TE,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// The kind of upgrade that a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asks {
    Nothing,
    Upgrade,
    /// HTTP/2's extended `CONNECT` ([RFC 8441](https://www.rfc-editor.org/rfc/rfc8441)), which is an upgrade on the hop.
    Connect,
}

/// Returns the method and the headers of the request on the hop, without the node's word.
pub(super) fn outgoing(parts: &Parts) -> (Method, HeaderMap, Asks) {
    let mut headers = parts.headers.clone();
    let takes_trailers = parts.version == Version::HTTP_2 || names(&headers, &TE, "trailers");
    let upgrade = upgrade(parts);
    strip(&mut headers);
    if takes_trailers {
        headers.insert(TE, HeaderValue::from_static("trailers"));
    }
    // RFC 9112, section 3.2.2, and RFC 9113, section 8.3.1: the target's authority counts before the header.
    if let Some(authority) = parts.uri.authority() {
        let host = authority.as_str().rsplit('@').next().unwrap_or_default();
        if let Ok(host) = HeaderValue::from_str(host) {
            headers.insert(HOST, host);
        }
    }
    join_cookies(&mut headers);
    let asks = match &upgrade {
        None => Asks::Nothing,
        Some(_) if parts.method == Method::CONNECT => Asks::Connect,
        Some(_) => Asks::Upgrade,
    };
    if let Some(upgrade) = upgrade {
        headers.insert(UPGRADE, upgrade);
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    }
    if asks != Asks::Connect {
        return (parts.method.clone(), headers, asks);
    }
    // HTTP/2 has no keys: RFC 8441, section 5.
    if names(&headers, &UPGRADE, "websocket") {
        headers.insert(SEC_WEBSOCKET_KEY, random_key());
    }
    headers.remove(CONTENT_LENGTH);
    (Method::GET, headers, asks)
}

/// Whether the request goes over HTTP/2, as it came: HTTP/1.1 has only the trailers that were announced, and gRPC announces
/// none. Its clients say that they take trailers, and others of HTTP/2 hardly ever do.
pub(super) fn needs_http_2(parts: &Parts, asks: Asks) -> bool {
    parts.version == Version::HTTP_2
        && asks == Asks::Nothing
        && names(&parts.headers, &TE, "trailers")
}

/// Prepares the head of the owner's response for the client.
pub(super) fn incoming(head: &mut response::Parts, asks: Asks) {
    let upgraded = head.status == StatusCode::SWITCHING_PROTOCOLS;
    let upgrade = head.headers.get(UPGRADE).filter(|_| upgraded).cloned();
    strip(&mut head.headers);
    head.headers.remove(HOP);
    if upgraded && asks == Asks::Connect {
        head.status = StatusCode::OK;
        head.headers.remove(SEC_WEBSOCKET_ACCEPT);
    } else if let Some(upgrade) = upgrade {
        head.headers.insert(UPGRADE, upgrade);
        head.headers
            .insert(CONNECTION, HeaderValue::from_static("upgrade"));
    }
}

/// Whether the client sends its body only when told to.
pub(super) fn expects_continue(headers: &HeaderMap) -> bool {
    names(headers, &EXPECT, "100-continue")
}

/// The protocol that the client wants to go on with.
fn upgrade(parts: &Parts) -> Option<HeaderValue> {
    match parts.version {
        Version::HTTP_11 if names(&parts.headers, &CONNECTION, "upgrade") => {
            parts.headers.get(UPGRADE).cloned()
        }
        Version::HTTP_2 if parts.method == Method::CONNECT => {
            let protocol = parts.extensions.get::<Protocol>()?;
            HeaderValue::from_str(protocol.as_str()).ok()
        }
        _ => None,
    }
}

fn strip(headers: &mut HeaderMap) {
    let named = headers.get_all(CONNECTION).iter();
    let named = named.filter_map(|value| value.to_str().ok());
    let named: Vec<HeaderName> = named
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .filter(|name| !is_for_the_application(name))
        .collect();
    for name in named.iter().chain(&OF_ONE_CONNECTION) {
        headers.remove(name);
    }
}

/// Clients must not name these as belonging to the connection. On a single node it would have no effect, so it has none
/// here: otherwise clients could hide from the application what a proxy tells it.
fn is_for_the_application(name: &HeaderName) -> bool {
    [
        AUTHORIZATION,
        CONTENT_LENGTH,
        CONTENT_TYPE,
        COOKIE,
        EXPECT,
        FORWARDED,
        HOST,
    ]
    .contains(name)
        || name.as_str().starts_with("x-forwarded-")
}

/// Over HTTP/2 each cookie may have a line of its own, over HTTP/1.1 they have one: RFC 9113, section 8.2.3.
fn join_cookies(headers: &mut HeaderMap) {
    let lines: Vec<&[u8]> = headers
        .get_all(COOKIE)
        .iter()
        .map(HeaderValue::as_bytes)
        .collect();
    if lines.len() < 2 {
        return;
    }
    if let Ok(mut joined) = HeaderValue::from_bytes(&lines.join(&b"; "[..])) {
        joined.set_sensitive(true);
        headers.insert(COOKIE, joined);
    }
}

/// Whether the word is in the header's list.
fn names(headers: &HeaderMap, header: &HeaderName, word: &str) -> bool {
    let values = headers.get_all(header).iter();
    let mut words = values
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    words.any(|other| {
        let other = other.split(';').next().unwrap_or_default();
        other.trim().eq_ignore_ascii_case(word)
    })
}

fn random_key() -> HeaderValue {
    let mut key = [0; 16];
    getrandom::fill(&mut key).expect("the operating system returns random bits");
    HeaderValue::try_from(STANDARD.encode(key)).expect("base64 is ASCII")
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn outgoing_of(request: http::request::Builder) -> (Method, HeaderMap, Asks) {
        outgoing(&request.body(()).unwrap().into_parts().0)
    }

    fn all<'h>(headers: &'h HeaderMap, name: &str) -> Vec<&'h str> {
        let values = headers.get_all(name).iter();
        values.map(|value| value.to_str().unwrap()).collect()
    }

    #[test]
    fn c16_what_belongs_to_the_connection_does_not_pass_and_all_else_does() {
        let request = Request::get("/")
            .header("connection", "close, X-Of-This, keep-alive")
            .header("connection", "x-and-this")
            .header("x-of-this", "1")
            .header("x-and-this", "2")
            .header("keep-alive", "timeout=5")
            .header("proxy-authorization", "x")
            .header("proxy-connection", "close")
            .header("te", "gzip;q=0.5, trailers;q=0.1")
            .header("transfer-encoding", "chunked")
            .header("upgrade", "h2c")
            .header("host", "example.com")
            .header("trailer", "x-sum")
            .header("x-other", "a")
            .header("x-other", "b");
        let (method, headers, asks) = outgoing_of(request);
        assert_eq!((method, asks), (Method::GET, Asks::Nothing));
        let mut names: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["host", "te", "trailer", "x-other"]);
        assert_eq!(all(&headers, "te"), ["trailers"]);
        assert_eq!(all(&headers, "x-other"), ["a", "b"]);
    }

    #[test]
    fn c16_a_client_hides_nothing_from_the_application_by_naming_it_in_connection() {
        const KEPT: [&str; 5] = [
            "authorization",
            "cookie",
            "forwarded",
            "host",
            "x-forwarded-for",
        ];
        let mut request = Request::get("/").header("connection", KEPT.join(","));
        for name in KEPT {
            request = request.header(name, "x");
        }
        let (_, headers, _) = outgoing_of(request);
        assert!(KEPT.iter().all(|name| all(&headers, name) == ["x"]));
    }

    #[test]
    fn c16_cookies_in_several_lines_are_joined() {
        let request = Request::get("/").version(Version::HTTP_2);
        let request = request.header("cookie", "a=1").header("cookie", "b=2; c=3");
        let (_, headers, _) = outgoing_of(request);
        assert_eq!(all(&headers, "cookie"), ["a=1; b=2; c=3"]);
    }

    #[test]
    fn c16_the_targets_authority_is_the_host() {
        let request = Request::get("http://name:secret@a.example:81/x").header("host", "b");
        assert_eq!(all(&outgoing_of(request).1, "host"), ["a.example:81"]);
        let request = Request::get("/x").header("host", "b");
        assert_eq!(all(&outgoing_of(request).1, "host"), ["b"]);
    }

    #[test]
    fn c16_clients_of_http_2_always_take_trailers() {
        let request = |version| Request::get("/").version(version);
        let te = |version| outgoing_of(request(version)).1.contains_key(TE);
        assert!(te(Version::HTTP_2) && !te(Version::HTTP_11));
    }

    #[test]
    fn c17_an_upgrade_passes_with_its_protocol_and_a_named_one_only() {
        let upgrade = |connection| {
            let request = Request::get("/").header("connection", connection);
            outgoing_of(request.header("upgrade", "a/1, b"))
        };
        let (_, headers, asks) = upgrade("keep-alive, Upgrade");
        assert_eq!(asks, Asks::Upgrade);
        assert_eq!(all(&headers, "upgrade"), ["a/1, b"]);
        assert_eq!(all(&headers, "connection"), ["upgrade"]);
        let (_, headers, asks) = upgrade("keep-alive");
        assert_eq!((asks, headers.len()), (Asks::Nothing, 0));
    }

    #[test]
    fn c17_an_extended_connect_is_an_upgrade_on_the_hop_and_200_on_the_way_back() {
        let request = Request::connect("https://example.com/ws").version(Version::HTTP_2);
        let request = request.extension(Protocol::from_static("websocket"));
        let (method, headers, asks) = outgoing_of(request.header("sec-websocket-protocol", "x"));
        assert_eq!((method, asks), (Method::GET, Asks::Connect));
        assert_eq!(all(&headers, "upgrade"), ["websocket"]);
        assert_eq!(all(&headers, "host"), ["example.com"]);
        assert_eq!(all(&headers, "sec-websocket-key")[0].len(), 24);

        let response = http::Response::builder().status(101);
        let response = response
            .header("upgrade", "websocket")
            .header("connection", "upgrade");
        let response = response.header("sec-websocket-accept", "x");
        let response = response.header("sec-websocket-protocol", "x").body(());
        let mut head = response.unwrap().into_parts().0;
        incoming(&mut head, Asks::Connect);
        assert_eq!(head.status, 200);
        let names: Vec<_> = head.headers.keys().map(HeaderName::as_str).collect();
        assert_eq!(names, ["sec-websocket-protocol"]);
    }

    #[test]
    fn c15_an_owners_marker_does_not_reach_the_client() {
        let response = http::Response::builder()
            .header(HOP, "drains")
            .header("date", "x");
        let mut head = response.body(()).unwrap().into_parts().0;
        incoming(&mut head, Asks::Nothing);
        assert_eq!(head.headers.len(), 1);
    }
}
