//! The layer around services that do not come from axum.

use std::convert::Infallible;
use std::future::ready;
use std::ops::ControlFlow;

use axum::extract::FromRequestParts;
use futures_util::FutureExt;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use http_body_util::{BodyExt, Full};
use session_axum::{
    LocalSession, Origin, RequestHead, Session, SessionBody, SessionLayer, SessionTransport,
};
use session_core::SessionId;
use tower::{Layer, Service, ServiceBuilder, ServiceExt, service_fn};

use crate::kit::manager;

async fn count(
    request: Request<&'static str>,
) -> Result<Response<Full<&'static [u8]>>, Infallible> {
    let (mut head, body) = request.into_parts();
    if body == "touch" {
        Session::from_request_parts(&mut head, &()).await.unwrap();
    }
    Ok(Response::new(Full::new(body.as_bytes())))
}

#[tokio::test]
async fn any_bodies_will_do() {
    let sessions = manager();
    let service = ServiceBuilder::new()
        .layer(SessionLayer::new(sessions.clone()))
        .service(service_fn(count));
    let response = service.clone().oneshot(Request::new("look")).await.unwrap();
    assert!(response.headers().is_empty());
    assert_eq!(
        response.into_body().collect().await.unwrap().to_bytes(),
        "look"
    );

    let response: Response<SessionBody<_>> = service.oneshot(Request::new("touch")).await.unwrap();
    assert!(
        response.headers()["set-cookie"]
            .to_str()
            .unwrap()
            .starts_with("id=")
    );
    assert_eq!(sessions.sessions().len(), 1);
}

async fn fail(request: Request<()>) -> Result<Response<()>, session_core::Session> {
    let mut head = request.into_parts().0;
    let session = Session::from_request_parts(&mut head, &()).await.unwrap();
    Err(session.into_inner())
}

#[tokio::test]
async fn a_service_that_fails_ends_the_session_that_it_created() {
    let mut service = SessionLayer::new(manager()).layer(service_fn(fail));
    let mut response = Box::pin(service.call(Request::new(())));
    let session = (&mut response).await.unwrap_err();
    // Even if the future is kept.
    assert!(session.is_completed());
    assert!(session.cleanup_completed().await.is_clean());
    drop(response);
}

#[tokio::test]
async fn a_service_that_panics_in_its_call_ends_the_session_that_it_created() {
    let sessions = manager();
    let service = SessionLayer::new(sessions.clone()).layer(service_fn(|request: Request<()>| {
        let mut head = request.into_parts().0;
        Session::from_request_parts(&mut head, &())
            .now_or_never()
            .unwrap()
            .unwrap();
        assert!(head.headers.contains_key("never"), "as asked for");
        ready(Ok::<_, Infallible>(Response::new(())))
    }));
    assert!(
        tokio::spawn(service.oneshot(Request::new(())))
            .await
            .unwrap_err()
            .is_panic()
    );
    assert_eq!(sessions.sessions(), []);
}

const SESSION: HeaderName = HeaderName::from_static("x-session");

/// Goes on after an interruption, as a careless transport might.
struct Headers;

impl SessionTransport for Headers {
    fn read(
        &self,
        head: RequestHead<'_>,
        offer: &mut dyn FnMut(SessionId, Origin) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        for header in head.headers.get_all(SESSION) {
            let _ = SessionId::decode(header.as_bytes()).map(|id| offer(id, Origin::default()));
        }
        ControlFlow::Continue(())
    }

    fn write(&self, _: Origin, response: &mut HeaderMap, id: SessionId) {
        response.insert(SESSION, HeaderValue::try_from(id.encode()).unwrap());
    }

    fn remove(&self, _: Origin, response: &mut HeaderMap) {
        response.insert(SESSION, HeaderValue::from_static(""));
    }
}

async fn end_old_session(request: Request<()>) -> Result<Response<()>, Infallible> {
    let mut head = request.into_parts().0;
    let session = Session::from_request_parts(&mut head, &()).await.unwrap();
    if !session.is_new() {
        session.terminate();
    }
    Ok(Response::new(()))
}

#[tokio::test]
async fn the_id_travels_where_the_transport_says() {
    let sessions = manager();
    let layer = SessionLayer::new(sessions.clone()).with_transport(Headers);
    let service = layer.layer(service_fn(end_old_session));

    let response = service.clone().oneshot(Request::new(())).await.unwrap();
    let id = response.headers()[SESSION].clone();
    assert_eq!(response.headers()["cache-control"], "no-store");
    assert!(!response.headers().contains_key("set-cookie"));

    let other = sessions.create().unwrap();
    let mut request = Request::new(());
    request.headers_mut().append(SESSION, id);
    request
        .headers_mut()
        .append(SESSION, other.id().encode().parse().unwrap());
    let response = service.oneshot(request).await.unwrap();
    assert_eq!(response.headers()[SESSION], "");
    // Both sessions that the request presented.
    assert!(other.is_completed());
    assert_eq!(sessions.sessions(), []);
}
