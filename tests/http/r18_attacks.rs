//! An attacker's requests that are inside with a planted id when the visitor logs in see nothing of the session after.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{FromRequestParts as _, Request, State};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use futures_util::stream;
use http::header::CONTENT_TYPE;
use session_axum::{Props, Session, SessionGroup, SessionLayer, SessionRejection};
use session_core::{LocalSession as _, Property, SessionManager, SessionProperties};
use session_test::Browser;

use crate::kit::{self, Stage, cookie, is_silent, is_superseded, manager, staged, told};

#[derive(SessionProperties)]
#[session(scope = group)]
struct OfTheUser {
    secret: Property<String>,
}

/// Waits, as for a slow body, and only then asks for what the path says.
async fn ask_late(
    State(stage): State<Stage>,
    request: Request,
) -> Result<Response, SessionRejection> {
    let path = request.uri().path().to_owned();
    let (mut head, _) = request.into_parts();
    // The stage needs a session to show. One of another visit does not matter here.
    stage.wait().await;
    match &*path {
        "/late/session" => {
            let session = Session::from_request_parts(&mut head, &()).await?;
            Ok(session
                .group()
                .id()
                .map_or("", |id| id.as_str())
                .to_owned()
                .into_response())
        }
        "/late/group" => {
            let group = SessionGroup::from_request_parts(&mut head, &()).await?;
            Ok(group
                .id()
                .map_or("", |id| id.as_str())
                .to_owned()
                .into_response())
        }
        "/late/props" => {
            let props = Props::<OfTheUser>::from_request_parts(&mut head, &()).await?;
            Ok(props
                .secret()
                .map(ToString::to_string)
                .unwrap_or_default()
                .into_response())
        }
        _ => {
            let session =
                <Option<Session> as axum::extract::FromRequestParts<()>>::from_request_parts(
                    &mut head,
                    &(),
                )
                .await?;
            let group =
                <Option<SessionGroup> as axum::extract::FromRequestParts<()>>::from_request_parts(
                    &mut head,
                    &(),
                )
                .await?;
            let props = <Option<Props<OfTheUser>> as axum::extract::FromRequestParts<()>>::from_request_parts(&mut head, &()).await?;
            let all = (session.is_some(), group.is_some(), props.is_some());
            Ok(format!("{all:?}").into_response())
        }
    }
}

fn late(sessions: &SessionManager, stage: Stage) -> Router {
    Router::new()
        .route("/late/{what}", get(ask_late).with_state(stage.clone()))
        .merge(kit::bare(stage))
        .layer(SessionLayer::new(sessions.clone()))
}

#[tokio::test]
async fn r18_extractors_that_are_asked_after_the_log_in_are_refused() {
    for what in ["session", "group", "props", "optional"] {
        for log_in in ["/log-in", "/cycle"] {
            let sessions = manager();
            let stage = Stage::default();
            let app = late(&sessions, stage.clone());
            let planted = sessions.create().unwrap();
            let cookies = cookie(&planted);
            let path = format!("/late/{what}");
            let slow = kit::spawn(&app, &path, &cookies);
            stage.waiting().await;
            let victim = kit::get(&app, log_in, &cookies).await;
            assert!(told(&victim).is_some());
            stage.go_on();
            let answer = slow.await.unwrap();
            if what == "optional" {
                assert!(is_silent(&answer));
                assert_eq!(answer.text(), "(false, false, false)");
            } else {
                assert!(is_superseded(&answer), "{what}: {answer:?}");
                assert!(!answer.text().contains("user"));
            }
            assert!(!planted.is_completed(), "the victim notices nothing");
        }
    }
}

#[tokio::test]
async fn r18_requests_that_come_after_the_log_in_are_not_let_in() {
    let sessions = manager();
    let app = kit::app(&sessions);
    let planted = sessions.create().unwrap();
    let cookies = cookie(&planted);
    let victim = kit::get(&app, "/log-in", &cookies).await;
    let new = told(&victim).unwrap();
    assert_eq!(new, planted.id());
    for path in ["/session", "/group", "/cycle", "/terminate"] {
        assert!(
            is_superseded(&kit::get(&app, path, &cookies).await),
            "{path}"
        );
    }
    assert_eq!(kit::get(&app, "/optional", &cookies).await.text(), "none");
    assert_eq!(sessions.sessions(), [planted]);
    let mine = kit::get(&app, "/group", format!("id={}", new.encode())).await;
    assert_eq!(mine.text(), "user");
}

#[tokio::test]
async fn r18_a_response_tells_only_the_id_that_its_own_request_made() {
    // The attacker cycles, waits, and the victim logs in: with the attacker's id, or with the planted one.
    let sessions = manager();
    let stage = Stage::default();
    let app = staged(&sessions, stage.clone());
    let planted = sessions.create().unwrap();
    let attack = kit::spawn(&app, "/cycle-then-stop", cookie(&planted));
    stage.stopped().await;
    let victim = kit::get(&app, "/log-in", cookie(&planted)).await;
    let victims = told(&victim).unwrap();
    assert_eq!(victims, planted.id());
    stage.go_on();
    let attackers = attack.await.unwrap();
    assert!(is_silent(&attackers), "{attackers:?}");
    assert_eq!(sessions.get(&victims), Some(planted));
}

#[tokio::test]
async fn r18_of_two_requests_that_cycle_the_second_is_refused() {
    for path in ["/log-in", "/cycle"] {
        let sessions = manager();
        let stage = Stage::default();
        let app = staged(&sessions, stage.clone());
        let session = sessions.create().unwrap();
        let cookies = cookie(&session);
        let slow = kit::spawn(&app, "/stop-then-cycle", &cookies);
        let in_hand = stage.stopped().await;
        let victim = kit::get(&app, path, &cookies).await;
        let victims = told(&victim).unwrap();
        // Nor does the handle that it holds end the session through the layer.
        in_hand.terminate();
        assert!(!session.is_completed());
        stage.go_on();
        assert!(is_superseded(&slow.await.unwrap()));
        assert_eq!(session.id(), victims);
    }
}

/// An event stream that names the session's user in each event.
async fn events(session: Session) -> Response {
    let core = session.into_inner();
    let events = stream::repeat_with(move || {
        let group = core.group();
        let name = group.id().map_or("anonymous", |id| id.as_str());
        Ok::<_, std::convert::Infallible>(Bytes::from(format!("data: {name}\n\n")))
    });
    (
        [(CONTENT_TYPE, "text/event-stream")],
        Body::from_stream(events),
    )
        .into_response()
}

#[tokio::test]
async fn r18_an_event_stream_from_before_the_log_in_ends_with_it() {
    let sessions = manager();
    let app = Router::new()
        .route("/events", get(events))
        .layer(SessionLayer::new(sessions.clone()))
        .merge(kit::app(&sessions));
    let ann = Browser::new(app);
    let mut planted = ann.events("/events").await;
    assert_eq!(planted.next().await.unwrap().data, "anonymous");
    ann.get("/log-in").await.assert_status(200);
    assert_eq!(planted.next().await, None, "it goes on");
    // The victim's own stream goes on.
    let mut own = ann.events("/events").await;
    assert_eq!(own.next().await.unwrap().data, "user");
    assert_eq!(sessions.stats().created, 1);
}

/// Takes the session and asks it for its group, as a naive extractor for the user does.
async fn by_the_session(session: Option<Session>) -> String {
    let group = session.map(|session| session.group());
    group.map_or_else(String::new, |group| format!("{:?}", group.id()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r18_no_extractor_shows_the_users_group_while_the_user_logs_in() {
    let sessions = manager();
    let app = Router::new()
        .route("/by-the-session", get(by_the_session))
        .route(
            "/by-lazy-props",
            get(async |visitor: session_axum::LazySession| {
                let props = visitor.props::<OfTheUser>()?;
                let secret = props.secret().map(ToString::to_string);
                Ok::<_, SessionRejection>(secret.unwrap_or_default())
            }),
        )
        .route(
            "/give-a-secret",
            get(async |visitor: session_axum::LazySession| {
                let session = visitor.log_in("user".into())?;
                let secret = session.group().props::<OfTheUser>()?;
                // From an earlier round, if the group still exists.
                drop(secret.set_secret("user".to_owned()));
                Ok::<_, SessionRejection>(())
            }),
        )
        .layer(SessionLayer::new(sessions.clone()))
        .merge(kit::app(&sessions));
    for round in 0..2_000 {
        let planted = sessions.create().unwrap();
        let cookies = cookie(&planted);
        let log_in = if round % 2 == 0 {
            "/log-in"
        } else {
            "/give-a-secret"
        };
        let victim = kit::spawn(&app, log_in, &cookies);
        for path in [
            "/by-the-session",
            "/group",
            "/optional-group",
            "/by-lazy-props",
        ] {
            let seen = kit::get(&app, path, &cookies).await;
            assert!(
                !seen.text().contains("user"),
                "{path} in round {round}: {seen}"
            );
        }
        let victim = victim.await.unwrap();
        assert_eq!(victim.status(), 200);
        planted.terminate();
    }
}

#[tokio::test]
async fn r18_a_session_in_hand_shows_an_ended_group_after_anothers_log_in() {
    let sessions = manager();
    let stage = Stage::default();
    let app = staged(&sessions, stage.clone());
    let planted = sessions.create().unwrap();
    let slow = kit::spawn(&app, "/stop", cookie(&planted));
    let in_hand = stage.stopped().await;
    let before = in_hand.group();
    assert_eq!(before, planted.group());
    assert!(told(&kit::get(&app, "/log-in", cookie(&planted)).await).is_some());
    let shown = in_hand.group();
    assert_eq!(shown.id(), None);
    assert!(shown.is_completed() && shown != planted.group());
    assert!(shown.props::<OfTheUser>().is_err());
    stage.go_on();
    assert!(is_silent(&slow.await.unwrap()));
    assert_eq!(planted.group().id().unwrap().as_str(), "user");
}

/// A handle of the session outlives the handler, or the handler takes its own session. Neither way ends the victim's.
#[tokio::test]
async fn r18_a_parted_request_ends_the_session_neither_after_its_head_nor_from_another_session() {
    let sessions = manager();
    let stage = Stage::default();
    let app = staged(&sessions, stage.clone());
    let planted = sessions.create().unwrap();
    let slow = kit::spawn(&app, "/stop", cookie(&planted));
    let kept = stage.stopped().await;
    stage.go_on();
    assert!(is_silent(&slow.await.unwrap()));
    let replaced = kit::spawn(&app, "/stop-then-replace", cookie(&planted));
    let in_hand = stage.stopped().await;
    assert!(told(&kit::get(&app, "/log-in", cookie(&planted)).await).is_some());

    kept.terminate();
    assert_eq!(kept.group().id(), None);
    stage.go_on();
    stage.stopped().await;
    in_hand.terminate();
    assert_eq!(in_hand.group().id(), None);
    assert!(!planted.is_completed());
    stage.go_on();
    // It has its own session by now.
    assert!(told(&replaced.await.unwrap()).is_some_and(|id| id != planted.id()));
}

/// Asks the visit for its session as it is dropped.
struct Asks(session_axum::LazySession);

impl Drop for Asks {
    fn drop(&mut self) {
        let _ = self.0.get();
    }
}

#[test]
fn r18_a_change_of_id_runs_no_destructor_under_its_locks_though_the_runtime_is_gone() {
    // The manager's runtime is separate from the server's, and ends before it.
    let managers = tokio::runtime::Runtime::new().unwrap();
    let builder = SessionManager::builder().runtime(managers.handle().clone());
    let sessions = builder.build().unwrap();
    let session = sessions.create().unwrap();
    managers.shutdown_background();
    let app = Router::new()
        .route(
            "/",
            get(
                async |session: Session, visitor: session_axum::LazySession| {
                    let _held = session.enter()?.until_completed(Asks(visitor));
                    session.cycle_id()
                },
            ),
        )
        .layer(SessionLayer::new(sessions));
    let (done, is_done) = std::sync::mpsc::channel();
    let cookies = cookie(&session);
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let response = runtime.block_on(kit::get(&app, "/", cookies).into_future());
        done.send(response.status()).unwrap();
    });
    let status = is_done.recv_timeout(std::time::Duration::from_secs(60));
    assert_eq!(status.expect("it is stuck"), 200);
}
