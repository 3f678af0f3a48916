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
