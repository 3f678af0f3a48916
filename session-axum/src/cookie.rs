//! The id in a cookie.

use std::borrow::Cow;
use std::iter;
use std::ops::ControlFlow;

use ::cookie::{Cookie, CookieBuilder, SameSite};
use http::header::{COOKIE, SET_COOKIE};
use http::{HeaderMap, HeaderValue};
use memchr::memchr;
use session_core::SessionId;

use crate::head::RequestHead;
use crate::transport::{Origin, SessionTransport};

/// Carries the session's id in a cookie.
///
/// The cookie is `Secure`, `HttpOnly`, `SameSite=Lax` and `Path=/`. It has no `Domain`, so that it is sent to this
/// host only, and no `Max-Age`, so that it ends with the browser: the lifetime of a session is up to the
/// [`SessionManager`](session_core::SessionManager). For a name that starts with `__Host-` or `__Secure-`, browsers
/// enforce those attributes, and so does this type.
///
/// # The name
///
/// On HTTPS choose a name with the prefix `__Host-`, such as `__Host-id`: without it every host of the same domain can
/// set a cookie with this name, and so plant an id.
///
/// Cookies ignore ports. Two servers on one host with the same cookie name (two on `localhost` with the default `id`,
/// say) overwrite each other's cookie, and each logs the other's visitors out. Put the port, or anything else that
/// tells them apart, into the name.
///
/// # Plain HTTP
///
/// Browsers limit `Secure` cookies to HTTPS and, most of them, to `localhost`; for plain HTTP elsewhere, use
/// [`with_secure(false)`](Self::with_secure).
///
/// ```
/// use session_axum::{CookieTransport, SameSite};
///
/// let transport = CookieTransport::new("__Host-id").with_same_site(SameSite::Strict);
/// ```
#[derive(Clone, Debug)]
pub struct CookieTransport {
    name: Cow<'static, str>,
    path: Cow<'static, str>,
    domain: Option<Cow<'static, str>>,
    secure: bool,
    same_site: SameSite,
}

impl CookieTransport {
    /// Creates a transport with a cookie of this name.
    ///
    /// # Panics
    ///
    /// If the name is not a cookie name: it is empty, or holds anything other than the letters, digits and
    /// marks of a token ([RFC 9110, section 5.6.2](https://www.rfc-editor.org/rfc/rfc9110#section-5.6.2)).
    #[must_use]
    #[track_caller]
    pub fn new(name: impl Into<Cow<'static, str>>) -> Self {
        let name = name.into();
        assert!(
            !name.is_empty() && name.bytes().all(is_token),
            "`{name}` is not a cookie name: use letters, digits, `-` and `_`"
        );
        Self {
            name,
            path: "/".into(),
            domain: None,
            secure: true,
            same_site: SameSite::Lax,
        }
    }

    /// Limits the cookie to this path and what lies below it.
    ///
    /// # Panics
    ///
    /// If the path does not start with `/` or can't stand in a header, or if the name starts with `__Host-` and
    /// the path is not `/`.
    #[must_use]
    #[track_caller]
    pub fn with_path(mut self, path: impl Into<Cow<'static, str>>) -> Self {
        self.path = path.into();
        assert!(
            self.path.starts_with('/') && self.path.bytes().all(is_attribute),
            "`{}` is not a cookie path: start it with `/` and leave out `;`",
            self.path
        );
        self.checked()
    }

    /// Sends the cookie to this domain and every one below it.
    ///
    /// Each of these hosts can then read the id and set one of its own.
    ///
    /// # Panics
    ///
    /// If the domain is empty or can't stand in a header, or if the name starts with `__Host-`.
    #[must_use]
    #[track_caller]
    pub fn with_domain(mut self, domain: impl Into<Cow<'static, str>>) -> Self {
        let domain = domain.into();
        assert!(
            !domain.is_empty() && domain.bytes().all(is_attribute),
            "`{domain}` is not a cookie domain: write a host name like `example.org`"
        );
        self.domain = Some(domain);
        self.checked()
    }

    /// Whether the cookie is for HTTPS only.
    ///
    /// With `false`, every machine on the way reads the id, and can set one by answering a plain request of the
    /// browser.
    ///
    /// # Panics
    ///
    /// If it is `false` and the name starts with `__Host-` or `__Secure-`, or the cookie is `SameSite=None`:
    /// browsers would discard the cookie.
    #[must_use]
    #[track_caller]
    pub fn with_secure(mut self, secure: bool) -> Self {
        self.secure = secure;
        self.checked()
    }

    /// Whether the cookie is sent with requests that other sites cause.
    ///
    /// With `Lax` it is sent when a link from anywhere is followed. With `None` it is sent with every request, so any
    /// page can send requests in the visitor's name unless they are checked by other means.
    ///
    /// # Panics
    ///
    /// If it is `SameSite::None` and the cookie is not `Secure`: browsers would discard the cookie.
    #[must_use]
    #[track_caller]
    pub fn with_same_site(mut self, same_site: SameSite) -> Self {
        self.same_site = same_site;
        self.checked()
    }

    /// Every step from the defaults to a valid cookie is valid itself, so each setter can blame its own caller.
    #[track_caller]
    fn checked(self) -> Self {
        let name = &self.name;
        // Browsers compare the prefixes without regard to case.
        let has_prefix = |prefix: &str| {
            name.get(..prefix.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
        };
        if has_prefix("__Host-") {
            assert!(self.secure, "a cookie named `{name}` must be `Secure`");
            assert!(
                self.path == "/",
                "a cookie named `{name}` must have the path `/`"
            );
            assert!(
                self.domain.is_none(),
                "a cookie named `{name}` must have no domain"
            );
        }
        if has_prefix("__Secure-") {
            assert!(self.secure, "a cookie named `{name}` must be `Secure`");
        }
        assert!(
            self.secure || self.same_site != SameSite::None,
            "a cookie named `{name}` with `SameSite=None` must be `Secure`"
        );
        self
    }

    /// A cookie is replaced and removed under the same name, path and domain that it was set with.
    fn cookie(&self, value: String) -> CookieBuilder<'_> {
        let cookie = Cookie::build((&*self.name, value))
            .path(&*self.path)
            .secure(self.secure)
            .http_only(true)
            .same_site(self.same_site);
        match &self.domain {
            Some(domain) => cookie.domain(&**domain),
            None => cookie,
        }
    }
}

impl SessionTransport for CookieTransport {
    fn read(
        &self,
        head: RequestHead<'_>,
        offer: &mut dyn FnMut(SessionId, Origin) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        // HTTP/2 clients may send one header for each cookie.
        let headers = head.headers.get_all(COOKIE).iter();
        let mut ids = headers.flat_map(|header| ids(header.as_bytes(), self.name.as_bytes()));
        ids.try_for_each(|id| offer(id, Origin::default()))
    }

    fn write(&self, _: Origin, response: &mut HeaderMap, id: SessionId) {
        append(response, &self.cookie(id.encode()));
    }

    fn remove(&self, _: Origin, response: &mut HeaderMap) {
        append(response, &self.cookie(String::new()).removal());
    }
}

/// Appends: cookies that the application sets stay.
fn append(response: &mut HeaderMap, cookie: &CookieBuilder<'_>) {
    let mut cookie = HeaderValue::try_from(cookie.to_string())
        .expect("name, path and domain were checked, and an id is base64url");
    // Not in `Debug`, nor in the tables of HPACK.
    cookie.set_sensitive(true);
    response.append(SET_COOKIE, cookie);
}

/// The ids in the cookies of this name in a `Cookie` header.
///
/// It reads the bytes once, only as far as the caller iterates, and accepts any header.
fn ids(header: &[u8], name: &[u8]) -> impl Iterator<Item = SessionId> {
    let mut rest = Some(header);
    iter::from_fn(move || {
        while let Some(header) = rest {
            // Usually there is nothing to search for: an id has no `;` in it.
            if let Some((id, end)) = id_at_start(header, name) {
                rest = header.get(end + 1..);
                return Some(id);
            }
            let end = memchr(b';', header).unwrap_or(header.len());
            rest = header.get(end + 1..);
            let id = header.get(..end).and_then(|pair| value(pair, name));
            if let Some(id) = id.and_then(SessionId::decode) {
                return Some(id);
            }
        }
        None
    })
}

/// The id of a header that starts with a cookie as browsers write it, and where that cookie ends.
fn id_at_start(header: &[u8], name: &[u8]) -> Option<(SessionId, usize)> {
    let pair = header.strip_prefix(b" ").unwrap_or(header);
    let value = pair.strip_prefix(name)?.strip_prefix(b"=")?;
    let (id, after) = value.split_at_checked(SessionId::ENCODED_LEN)?;
    if !matches!(after.first(), None | Some(b';')) {
        return None;
    }
    Some((SessionId::decode(id)?, header.len() - after.len()))
}

/// The value of a cookie without its quotes, if it has this name.
fn value<'h>(pair: &'h [u8], name: &[u8]) -> Option<&'h [u8]> {
    let value = pair.trim_ascii_start().strip_prefix(name)?;
    let value = value.strip_prefix(b"=")?.trim_ascii();
    let unquoted = value
        .strip_prefix(b"\"")
        .and_then(|value| value.strip_suffix(b"\""));
    Some(unquoted.unwrap_or(value))
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

fn is_attribute(byte: u8) -> bool {
    (byte.is_ascii_graphic() || byte == b' ') && byte != b';'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found<'h>(header: &'h [u8], name: &str) -> Vec<&'h [u8]> {
        let pairs = header.split(|byte| *byte == b';');
        pairs
            .filter_map(|pair| value(pair, name.as_bytes()))
            .collect()
    }

    #[test]
    fn values_are_found_by_their_whole_name() {
        assert_eq!(found(b"id=a", "id"), [b"a"]);
        assert_eq!(found(b"a=1; id=b; c=2", "id"), [b"b"]);
        assert_eq!(found(b"id=a;id=b ; id= c", "id"), [b"a", b"b", b"c"]);
        assert_eq!(found(b"xid=a; idx=b; ID=c; x=id=d; id =e", "id"), [b""; 0]);
        assert_eq!(found(b"id=a=b", "id"), [b"a=b"]);
    }

    #[test]
    fn whatever_the_header_holds_is_taken_as_it_comes() {
        for header in [
            "", ";", "=", "id", "id;", ";;;=;", "\u{0}", "i", "id =", "=id",
        ] {
            assert!(
                found(header.as_bytes(), "id")
                    .iter()
                    .all(|value| value.is_empty())
            );
        }
        assert_eq!(found(b"\xff\xfe=\xff; id=\xff", "id"), [b"\xff"]);
        assert_eq!(
            found(b"id=\"a\"; id=\"; id=\"\"; id=\"b", "id"),
            [&b"a"[..], b"\"", b"", b"\"b"]
        );
    }

    #[test]
    fn ids_are_those_values_that_are_ids_whatever_stands_beside_them() {
        const PARTS: [&[u8]; 9] = [
            b"id=",
            b"AAAAAAAAAAAAAAAAAAAAAA",
            b"BBBBBBBBBBBBBBBBBBBBBA",
            b";",
            b"; ",
            b" ",
            b"\"",
            b"=",
            b"x",
        ];
        for length in 0..6 {
            for mut choice in 0..PARTS.len().pow(length) {
                let mut header = Vec::new();
                for _ in 0..length {
                    header.extend(PARTS[choice % PARTS.len()]);
                    choice /= PARTS.len();
                }
                let values = found(&header, "id").into_iter();
                let slow: Vec<_> = values.filter_map(SessionId::decode).collect();
                let quick: Vec<_> = ids(&header, b"id").collect();
                assert_eq!(quick, slow, "{}", header.escape_ascii());
            }
        }
    }
}
