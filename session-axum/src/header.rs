//! The id in a header.

use std::ops::ControlFlow;

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue};
use session_core::SessionId;

use crate::head::RequestHead;
use crate::transport::{Origin, SessionTransport};

const SESSION_ID: HeaderName = HeaderName::from_static("session-id");
const BEARER: &[u8] = b"Bearer";

/// Carries the session's id in a header, for clients that are programs.
///
/// The id is the whole value of the header. A response tells a new id in the same way, and an empty value tells the
/// client to forget its id:
///
/// ```text
/// x-session: vYh2mK0gPqk3nTQ7rFzXxg
/// ```
///
/// A value that is not exactly an id is no id: its client is a stranger. A header may be repeated, but a list with
/// commas is no id.
///
/// ```
/// use session_axum::{CookieTransport, HeaderTransport, SessionTransport};
///
/// let programs = HeaderTransport::new("x-session");
/// let by_token = HeaderTransport::bearer();
/// let both = CookieTransport::new("__Host-id").or(HeaderTransport::new("x-session"));
/// ```
///
/// # Browsers
///
/// Scripts see what is in a header, so one that an attacker smuggles into the page can send the id away. For pages use
/// a [`CookieTransport`](crate::CookieTransport). On the other hand browsers send no such header by themselves, so
/// other sites can't make requests in the visitor's name.
///
/// A page of another origin reads and sends the header only if CORS allows it: `Access-Control-Expose-Headers` for
/// responses, `Access-Control-Allow-Headers` for requests.
///
/// # Caches
///
/// No cache knows that responses depend on a header of your own. A response to be cached that depends on the session
/// says so with `Vary` (`vary: x-session`), and with `Cache-Control: private` keeps out of shared caches. A response that
/// tells an id needs neither: it says `no-store`.
#[derive(Clone, Debug)]
pub struct HeaderTransport {
    request: HeaderName,
    response: HeaderName,
}

impl HeaderTransport {
    /// Creates a transport with a header of this name, in requests and in responses.
    ///
    /// # Panics
    ///
    /// If the name is not a header name, or is `Authorization`, where an id stands behind a scheme: use
    /// [`bearer`](Self::bearer).
    #[must_use]
    #[track_caller]
    pub fn new(name: impl AsRef<str>) -> Self {
        let name = name.as_ref();
        let Ok(header) = HeaderName::try_from(name) else {
            panic!("`{name}` is not a header name: use letters, digits and `-`");
        };
        assert!(
            header != AUTHORIZATION,
            "an id in `{name}` needs a scheme: use `HeaderTransport::bearer()`"
        );
        Self {
            request: header.clone(),
            response: header,
        }
    }

    /// Creates a transport for `Authorization: Bearer <id>`
    /// ([RFC 6750](https://www.rfc-editor.org/rfc/rfc6750#section-2.1)), for clients that have a setting for such a
    /// token. Other schemes and other tokens are no ids.
    ///
    /// Responses tell an id in the header `Session-Id`, since `Authorization` is for requests.
    #[must_use]
    pub fn bearer() -> Self {
        Self {
            request: AUTHORIZATION,
            response: SESSION_ID,
        }
    }

    fn id(&self, value: &HeaderValue) -> Option<SessionId> {
        let value = value.as_bytes();
        if self.request == AUTHORIZATION {
            SessionId::decode(bearer_token(value)?)
        } else {
            SessionId::decode(value)
        }
    }
}

impl SessionTransport for HeaderTransport {
    fn read(
        &self,
        head: RequestHead<'_>,
        offer: &mut dyn FnMut(SessionId, Origin) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let values = head.headers.get_all(&self.request).iter();
        let mut ids = values.filter_map(|value| self.id(value));
        ids.try_for_each(|id| offer(id, Origin::default()))
    }

    fn write(&self, _: Origin, response: &mut HeaderMap, id: SessionId) {
        let mut id = HeaderValue::try_from(id.encode()).expect("an id is base64url");
        // Not in `Debug`, nor in the tables of HPACK.
        id.set_sensitive(true);
        response.insert(self.response.clone(), id);
    }

    fn remove(&self, _: Origin, response: &mut HeaderMap) {
        response.insert(self.response.clone(), HeaderValue::from_static(""));
    }
}

/// The token of the scheme `Bearer`, whose case is free, behind one or more spaces.
fn bearer_token(credentials: &[u8]) -> Option<&[u8]> {
    let (scheme, rest) = credentials.split_at_checked(BEARER.len())?;
    let start = rest.iter().position(|byte| *byte != b' ')?;
    (start > 0 && scheme.eq_ignore_ascii_case(BEARER)).then(|| &rest[start..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bearer_token_stands_behind_its_scheme() {
        for credentials in ["Bearer abc", "bearer abc", "BEARER   abc", "beaRer abc"] {
            assert_eq!(bearer_token(credentials.as_bytes()), Some(&b"abc"[..]));
        }
        for credentials in [
            "",
            "Bearer",
            "Bearer ",
            "Bearerabc",
            "Bearer\tabc",
            " Bearer abc",
            "Basic abc",
            "Beareabc d",
            "abc",
        ] {
            assert_eq!(bearer_token(credentials.as_bytes()), None, "{credentials}");
        }
    }

    #[test]
    fn a_header_of_any_case_is_the_same() {
        assert_eq!(HeaderTransport::new("X-Session").request, "x-session");
        let name = HeaderName::from_static("x-session");
        assert_eq!(HeaderTransport::new(&name).response, name);
    }

    #[test]
    #[should_panic(expected = "`x session` is not a header name")]
    fn a_name_that_no_header_can_have_is_refused() {
        let _ = HeaderTransport::new("x session");
    }

    #[test]
    #[should_panic(expected = "use `HeaderTransport::bearer()`")]
    fn an_id_without_a_scheme_has_no_place_in_authorization() {
        let _ = HeaderTransport::new("Authorization");
    }
}
