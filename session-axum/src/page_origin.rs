//! The check that a WebSocket's handshake comes from a page of the server's own site.
//!
//! Browsers let any page open a WebSocket to any server, and say in `Origin` where the page comes from. A page can't set
//! that header, nor `Host` or `X-Forwarded-Host`.

use http::header::{HOST, ORIGIN};
use http::request::Parts;
use http::uri::Authority;

const X_FORWARDED_HOST: &str = "x-forwarded-host";

/// Where a page comes from: `https://example.com`, `http://localhost:3000`.
#[derive(Clone, Debug)]
pub(crate) struct PageOrigin {
    /// In lower case.
    scheme: String,
    authority: Authority,
}

impl PageOrigin {
    /// `None` for anything else, such as the `null` of a sandboxed page.
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        let (scheme, authority) = std::str::from_utf8(text).ok()?.split_once("://")?;
        let origin = Self {
            scheme: scheme.to_ascii_lowercase(),
            authority: parse_authority(authority)?,
        };
        (!scheme.is_empty()).then_some(origin)
    }

    /// Whether this is the host and port, which may leave out the default port of the origin's scheme.
    fn is_of(&self, authority: &Authority) -> bool {
        self.authority.host().eq_ignore_ascii_case(authority.host())
            && self.port(&self.authority) == self.port(authority)
    }

    fn port(&self, authority: &Authority) -> Option<u16> {
        let default = match &*self.scheme {
            "http" | "ws" => Some(80),
            "https" | "wss" => Some(443),
            _ => None,
        };
        authority.port_u16().or(default)
    }
}

impl PartialEq for PageOrigin {
    fn eq(&self, other: &Self) -> bool {
        self.scheme == other.scheme && self.is_of(&other.authority)
    }
}

/// Whether the request comes from the server's own site, from an allowed origin, or from no page at all.
pub(crate) fn is_allowed(request: &Parts, allowed: &[PageOrigin]) -> bool {
    let mut origins = request.headers.get_all(ORIGIN).iter();
    origins.all(|origin| {
        PageOrigin::parse(origin.as_bytes())
            .is_some_and(|origin| is_own(&origin, request) || allowed.contains(&origin))
    })
}

fn is_own(origin: &PageOrigin, request: &Parts) -> bool {
    let header = |name| request.headers.get_all(name).iter();
    let names = header(HOST.as_str()).chain(header(X_FORWARDED_HOST));
    // Each proxy may have added one.
    let names = names.flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
    let mut names =
        names.filter_map(|name| parse_authority(std::str::from_utf8(name).ok()?.trim()));
    let addressed = request.uri.authority();
    addressed.is_some_and(|authority| origin.is_of(authority))
        || names.any(|authority| origin.is_of(&authority))
}

fn parse_authority(text: &str) -> Option<Authority> {
    // A user's name is no part of a host, and a port must be a number.
    let authority: Authority = text.parse().ok().filter(|_| !text.contains('@'))?;
    let has_port = authority.host().len() < text.len();
    (!has_port || authority.port_u16().is_some()).then_some(authority)
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn comes_in(uri: &str, headers: &[(&str, &str)], allowed: &[&str]) -> bool {
        let mut request = Request::get(uri).body(()).unwrap();
        for (name, value) in headers {
            let name: http::HeaderName = name.parse().unwrap();
            request.headers_mut().append(name, value.parse().unwrap());
        }
        let allowed = allowed
            .iter()
            .map(|origin| PageOrigin::parse(origin.as_bytes()));
        let allowed: Vec<_> = allowed.map(Option::unwrap).collect();
        is_allowed(&request.into_parts().0, &allowed)
    }

    #[test]
    fn default_ports_may_be_left_out_and_letters_be_of_either_case() {
        for (origin, host) in [
            ("https://example.com", "example.com"),
            ("https://example.com", "example.com:443"),
            ("https://example.com:443", "example.com"),
            ("http://example.com", "example.com:80"),
            ("HTTPS://Example.com", "eXample.com"),
            ("http://localhost:3000", "localhost:3000"),
            ("http://[::1]:3000", "[::1]:3000"),
            ("http://[::1]", "[::1]:80"),
        ] {
            assert!(
                comes_in("/", &[("origin", origin), ("host", host)], &[]),
                "{origin} {host}"
            );
            let uri = format!("http://{host}/");
            assert!(comes_in(&uri, &[("origin", origin)], &[]), "{origin} {uri}");
        }
    }

    #[test]
    fn others_are_refused() {
        for (origin, host) in [
            ("https://example.com", "example.com:80"),
            ("http://example.com", "example.com:443"),
            ("http://example.com:3000", "example.com"),
            ("https://evil.com", "example.com"),
            ("https://example.com.evil.com", "example.com"),
            ("https://evil.com/example.com", "example.com"),
            ("https://example.com@evil.com", "example.com"),
            ("https://evil.com@example.com", "example.com"),
            ("https://example.com:", "example.com"),
            ("https://example.com:99999", "example.com"),
            ("https://", "example.com"),
            ("://example.com", "example.com"),
            ("null", "null"),
            ("example.com", "example.com"),
            ("", "example.com"),
            ("", ""),
        ] {
            assert!(
                !comes_in("/", &[("origin", origin), ("host", host)], &[]),
                "{origin} {host}"
            );
        }
        // All of several must be right.
        let two = [
            ("origin", "https://a.com"),
            ("origin", "https://b.com"),
            ("host", "a.com"),
        ];
        assert!(!comes_in("/", &two, &[]));
    }

    #[test]
    fn a_request_without_an_origin_is_no_pages() {
        assert!(comes_in("/", &[("host", "example.com")], &[]));
    }

    #[test]
    fn a_proxy_passes_the_host_on() {
        let origin = ("origin", "https://example.com");
        let host = ("host", "10.0.0.1:8080");
        assert!(!comes_in("/", &[origin, host], &[]));
        for forwarded in [
            "example.com",
            "example.com:443",
            "example.com, inner",
            "inner,example.com",
        ] {
            let forwarded = ("x-forwarded-host", forwarded);
            assert!(
                comes_in("/", &[origin, host, forwarded], &[]),
                "{forwarded:?}"
            );
        }
        let other = ("x-forwarded-host", "example.org");
        assert!(!comes_in("/", &[origin, host, other], &[]));
    }

    #[test]
    fn other_origins_may_be_allowed() {
        let allowed = ["https://app.example.com", "http://localhost:5173"];
        let host = ("host", "api.example.com");
        for (origin, is) in [
            ("https://app.example.com", true),
            ("https://app.example.com:443", true),
            ("http://localhost:5173", true),
            ("http://app.example.com", false),
            ("http://localhost:5174", false),
            ("https://example.com", false),
        ] {
            assert_eq!(
                comes_in("/", &[("origin", origin), host], &allowed),
                is,
                "{origin}"
            );
        }
    }
}
