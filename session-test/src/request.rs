//! A request of a browser, until it is awaited.

use std::fmt::{self, Display};
use std::marker::PhantomData;
use std::panic::Location;
use std::pin::Pin;

use axum_core::body::Body;
use http::header::{CONTENT_TYPE, COOKIE, HOST, HeaderName, ORIGIN};
use http::uri::{PathAndQuery, Uri};
use http::{HeaderValue, Method, Request, Response};
use serde::Serialize;
use tower::ServiceExt as _;

use crate::answer::Answer;
use crate::asked::Asked;
use crate::cookies;
use crate::events::Events;
use crate::tab::Tab;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// A request of a [`Browser`](crate::Browser): await it for its answer, an event stream or a WebSocket.
///
/// Dropping the future is what a client does that hangs up.
///
/// ```
/// # use axum::{Form, Json, Router, routing::post};
/// # use session_test::Browser;
/// # use std::collections::HashMap;
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// # let app = Router::new()
/// #     .route("/form", post(async |Form(form): Form<HashMap<String, String>>| form["name"].clone()))
/// #     .route("/json", post(async |Json(numbers): Json<Vec<u32>>| Json(numbers.len())));
/// let ann = Browser::new(app);
/// let answer = ann.post("/form").form(&[("name", "Ann")]).await.assert_status(200);
/// assert_eq!(answer.text(), "Ann");
/// let answer = ann.post("/json").json(&[1, 2, 3]).await.assert_status(200);
/// assert_eq!(answer.json::<u32>(), 3);
/// # }
/// ```
#[must_use = "a request is sent when it is awaited"]
pub struct RequestBuilder<T = Answer> {
    pub(crate) tab: Tab,
    pub(crate) request: Request<Body>,
    pub(crate) asked: Asked,
    outcome: PhantomData<fn() -> T>,
}

/// The outcome of a request.
///
/// Sealed, since its module is private.
pub trait Outcome: Sized + 'static {
    /// Sends the request.
    fn of(request: RequestBuilder<Self>) -> impl Future<Output = Self> + Send;
}

impl<T: Outcome> RequestBuilder<T> {
    #[track_caller]
    pub(crate) fn new(
        tab: Tab,
        method: Method,
        path: &str,
        by: &'static Location<'static>,
    ) -> Self {
        let target = match path.parse::<PathAndQuery>() {
            Ok(target) if path.starts_with('/') => Uri::from(target),
            _ => panic!("`{path}` is not a path that a request can have, such as `/notes?page=2`"),
        };
        let asked = Asked {
            method: method.clone(),
            target: target.clone(),
            by,
        };
        let mut request = Request::new(Body::empty());
        *request.method_mut() = method;
        *request.uri_mut() = target;
        Self {
            tab,
            request,
            asked,
            outcome: PhantomData,
        }
    }

    /// Sets a header, in place of what the browser would send: `Cookie`, `Host`, `Origin` and `Sec-Fetch-Site` are such.
    ///
    /// # Panics
    ///
    /// If a header can't have this name or value.
    #[track_caller]
    pub fn header<N, V>(mut self, name: N, value: V) -> Self
    where
        N: TryInto<HeaderName, Error: Display>,
        V: TryInto<HeaderValue, Error: Display>,
    {
        let name = name
            .try_into()
            .unwrap_or_else(|error| panic!("not the name of a header: {error}"));
        let value = value
            .try_into()
            .unwrap_or_else(|error| panic!("not a value of `{name}`: {error}"));
        self.request.headers_mut().insert(name, value);
        self
    }

    /// Adds the headers that a page of the application's own cannot choose.
    pub(crate) fn dress(&mut self, has_origin: bool) {
        let path = self.request.uri().path().to_owned();
        let headers = self.request.headers_mut();
        let own = HeaderValue::from_static(cookies::ORIGIN);
        let site = match headers.get(ORIGIN) {
            Some(origin) if *origin != own => "cross-site",
            _ => "same-origin",
        };
        if has_origin {
            headers.entry(ORIGIN).or_insert(own);
        }
        headers
            .entry(SEC_FETCH_SITE)
            .or_insert(HeaderValue::from_static(site));
        headers
            .entry(HOST)
            .or_insert(HeaderValue::from_static(cookies::HOST));
        if let Some(cookies) = self.tab.cookies.header(&path) {
            headers.entry(COOKIE).or_insert(cookies);
        }
    }

    /// Sends it, and returns the response once its head is there.
    pub(crate) async fn head(mut self) -> (Asked, Response<Body>) {
        let is_safe = matches!(self.asked.method, Method::GET | Method::HEAD);
        self.dress(!is_safe);
        let asked = self.asked;
        let response = self.tab.app.oneshot(self.request);
        let response = asked.served(asked.within("an answer", response).await);
        self.tab
            .cookies
            .keep(asked.target.path(), response.headers());
        (asked, response)
    }
}

impl RequestBuilder {
    /// Sends this value as JSON.
    ///
    /// # Panics
    ///
    /// If it can't be written as JSON.
    #[track_caller]
    pub fn json(self, value: &(impl Serialize + ?Sized)) -> Self {
        let json = serde_json::to_vec(value).unwrap_or_else(|error| panic!("no JSON: {error}"));
        self.header(CONTENT_TYPE, "application/json").body(json)
    }

    /// Sends this value, a struct or pairs, as a form does.
    ///
    /// # Panics
    ///
    /// If it can't be written as a form.
    #[track_caller]
    pub fn form(self, value: &(impl Serialize + ?Sized)) -> Self {
        let form =
            serde_urlencoded::to_string(value).unwrap_or_else(|error| panic!("no form: {error}"));
        self.header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(form)
    }

    /// Sends this body, and no type of content.
    pub fn body(mut self, body: impl Into<Body>) -> Self {
        *self.request.body_mut() = body.into();
        self
    }

    /// Sends it, and returns the response once its head is there. This is for a body that does not end, or is not to be
    /// read. Dropping it is what a client does that hangs up.
    ///
    /// # Panics
    ///
    /// As awaiting the request does, except for what concerns the body.
    pub async fn open(self) -> Response<Body> {
        self.head().await.1
    }
}

impl<T: Outcome> IntoFuture for RequestBuilder<T> {
    type Output = T;
    type IntoFuture = Pin<Box<dyn Future<Output = T> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(T::of(self))
    }
}

impl<T> fmt::Debug for RequestBuilder<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RequestBuilder")
            .field(&self.asked.to_string())
            .finish()
    }
}

impl Outcome for Answer {
    async fn of(request: RequestBuilder) -> Self {
        let (asked, response) = request.head().await;
        Self::read(asked, response).await
    }
}

impl Outcome for Events {
    async fn of(request: RequestBuilder<Self>) -> Self {
        let (asked, response) = request.head().await;
        Self::open(asked, response).await
    }
}
