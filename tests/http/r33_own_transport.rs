//! Row 33: a transport of the application's own, with several places.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::response::Response;
use http::{HeaderMap, Method, Request};
use session_axum::{
    LazySession, Origin, RequestHead, SessionLayer, SessionRejection, SessionTransport,
};
use session_core::{SessionId, SessionManager};
use tower::util::BoxCloneSyncService;
use tower::{Layer as _, ServiceExt as _, service_fn};

use crate::kit::manager;
use crate::r33_places::{MADE_UP, Place, cookie, header};

/// Finds its ids where only the application can have put them, and notes what it is told.
#[derive(Clone, Default)]
struct Custom(Arc<Mutex<Vec<(&'static str, u8)>>>);

#[derive(Clone)]
struct Ids(Vec<(SessionId, u8)>);

impl SessionTransport for Custom {
    fn read(
        &self,
        head: RequestHead<'_>,
        offer: &mut dyn FnMut(SessionId, Origin) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        assert_eq!(head.method, Method::PUT);
        assert_eq!(head.headers["x-seen"], "yes");
        if let Some(id) = head.uri.query().and_then(|id| id.parse().ok()) {
            offer(id, Origin::new(255))?;
        }
        let Ids(ids) = head.extensions.get().unwrap();
        ids.iter()
            .try_for_each(|(id, place)| offer(*id, Origin::new(*place)))
    }

    fn write(&self, origin: Origin, _: &mut HeaderMap, _: SessionId) {
        self.0.lock().unwrap().push(("write", origin.place()));
    }

    fn remove(&self, origin: Origin, _: &mut HeaderMap) {
        self.0.lock().unwrap().push(("remove", origin.place()));
    }
}

async fn answer(request: Request<Body>) -> Result<Response, SessionRejection> {
    let visitor = LazySession::from_extensions(request.extensions())?;
    match request.uri().path() {
        "/log-in" => drop(visitor.log_in("user".into())?),
        _ => visitor.session()?.terminate(),
    }
    Ok(Response::new(Body::empty()))
}

#[tokio::test]
async fn r33_a_transport_of_ones_own_reads_the_head_and_tells_its_places_apart() {
    fn service(
        sessions: &SessionManager,
        transport: impl SessionTransport,
    ) -> BoxCloneSyncService<Request<Body>, Response<Body>, SessionRejection> {
        let layer = SessionLayer::new(sessions.clone()).with_transport(transport);
        let service = layer.layer(service_fn(answer));
        let service = service.map_response(|response| response.map(Body::new));
        BoxCloneSyncService::new(service)
    }
    let sessions = manager();
    let custom = Custom::default();
    // Alone, as the first and as the second of two.
    for service in [
        service(&sessions, custom.clone()),
        service(&sessions, custom.clone().or(cookie())),
        service(&sessions, header().or(cookie().or(custom.clone()))),
    ] {
        let put = async |target: String, ids: &[(SessionId, u8)]| {
            let request = Request::put(target)
                .header("x-seen", "yes")
                .extension(Ids(ids.to_vec()))
                .body(Body::empty());
            service.clone().oneshot(request.unwrap()).await.unwrap();
            std::mem::take(&mut *custom.0.lock().unwrap())
        };
        let unknown: SessionId = MADE_UP.parse().unwrap();
        let ended = sessions.create().unwrap();
        let superseded = ended.id();
        drop(ended.terminate_and_supersede());
        let live = || sessions.create().unwrap().id();

        let told = put("/log-in".into(), &[(unknown, 3), (unknown, 4)]).await;
        assert_eq!(told, [("write", 3)], "the first counts, dead as it is");
        let told = put("/log-in".into(), &[(unknown, 3), (superseded, 4)]).await;
        assert_eq!(told, [("write", 4)]);
        let ids = [(unknown, 3), (superseded, 4), (live(), 5), (live(), 6)];
        assert_eq!(put("/log-in".into(), &ids).await, [("write", 5)]);
        let told = put("/log-out".into(), &[(unknown, 3), (live(), 6)]).await;
        assert_eq!(told, [("remove", 6)]);
        let target = format!("/log-out?{}", live().encode());
        assert_eq!(put(target, &[(live(), 6)]).await, [("remove", 255)]);
    }
    // A client without an id is answered in the first place of the first.
    let none = Request::put("/log-in").header("x-seen", "yes");
    let none = none.extension(Ids(Vec::new())).body(Body::empty()).unwrap();
    let service = service(&sessions, custom.clone().or(cookie()));
    let response = service.oneshot(none).await.unwrap();
    assert_eq!(Place::answers(&response), []);
    assert_eq!(*custom.0.lock().unwrap(), [("write", 0)]);
}
