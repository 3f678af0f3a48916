//! The cookies of a browser, for one origin.

use std::cmp::Reverse;
use std::sync::{Mutex, PoisonError};

use cookie_store::{CookieStore, RawCookie};
use http::header::SET_COOKIE;
use http::{HeaderMap, HeaderValue};
use url::Url;

/// An origin of HTTPS, so that a browser keeps `Secure` cookies from it.
pub(crate) const ORIGIN: &str = "https://localhost";
pub(crate) const HOST: &str = "localhost";

#[derive(Debug, Default)]
pub(crate) struct Cookies(Mutex<CookieStore>);

impl Cookies {
    fn store(&self) -> std::sync::MutexGuard<'_, CookieStore> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps those that the response to a request for this path sets, and drops those that it removes.
    pub(crate) fn keep(&self, path: &str, response: &HeaderMap) {
        let url = url(path);
        let mut store = self.store();
        for value in response.get_all(SET_COOKIE) {
            let text = std::str::from_utf8(value.as_bytes());
            let cookie = text.ok().and_then(|text| RawCookie::parse(text).ok());
            if let Some(cookie) = cookie.filter(has_what_its_prefix_asks_for) {
                // A cookie that a browser discards is discarded here as well.
                let _ = store.insert_raw(&cookie, &url);
            }
        }
    }

    /// The `Cookie` header of a request for this path.
    pub(crate) fn header(&self, path: &str) -> Option<HeaderValue> {
        let pairs = self.pairs(path);
        let pairs: Vec<_> = pairs
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let header = HeaderValue::try_from(pairs.join("; ")).ok()?;
        (!pairs.is_empty()).then_some(header)
    }

    /// Names and values for a request for this path, those of longer paths first.
    fn pairs(&self, path: &str) -> Vec<(String, String)> {
        let url = url(path);
        let store = self.store();
        let mut cookies = store.matches(&url);
        cookies.sort_by_key(|cookie| Reverse(cookie.path.len()));
        let owned = |cookie: &cookie_store::Cookie<'_>| {
            let (name, value) = cookie.name_value();
            (name.to_owned(), value.to_owned())
        };
        cookies.into_iter().map(owned).collect()
    }

    /// The value of the cookie of this name, whatever its path.
    pub(crate) fn get(&self, name: &str) -> Option<String> {
        let store = self.store();
        let mut cookies = store.iter_unexpired();
        let found = cookies.find(|cookie| cookie.name() == name)?;
        Some(found.value().to_owned())
    }

    pub(crate) fn values(&self) -> Vec<String> {
        let store = self.store();
        let cookies = store.iter_unexpired();
        cookies.map(|cookie| cookie.value().to_owned()).collect()
    }
}

/// The rules for names with a prefix, which the store does not know.
fn has_what_its_prefix_asks_for(cookie: &RawCookie<'_>) -> bool {
    let starts_with = |prefix: &str| {
        let start = cookie.name().get(..prefix.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    };
    let secure = cookie.secure() == Some(true);
    let one_host = cookie.domain().is_none() && cookie.path() == Some("/");
    (secure || !starts_with("__Secure-")) && (secure && one_host || !starts_with("__Host-"))
}

fn url(path: &str) -> Url {
    let mut url = Url::parse(ORIGIN).expect("the origin is a URL");
    url.set_path(path);
    url
}
