//! Row 30: a WebSocket belongs to its session, ends with it, and tells its client why.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::ws::{CloseFrame, Message as Sent};
use axum::response::{IntoResponse as _, Response};
use axum::routing::any;
use futures_util::{SinkExt as _, StreamExt as _};
use session_axum::{
    Idle, LazySession, Props, Session, SessionLayer, SessionRejection, SessionUpgrade, Socket,
};
use session_core::{
    CompletionCause, LocalSession as _, Property, SessionManager, SessionProperties, WhenFull,
};
use session_test::Message::Text;
use session_test::{Browser, assert_ended};
use tokio_tungstenite::tungstenite::Message;

use crate::client::{self, Http, Server};
use crate::kit::{self, Stage, cookie, manager};
use crate::sockets::{self, Client, closed, open};

#[derive(SessionProperties)]
struct Chat {
    #[property(default)]
    messages: Property<AtomicU32>,
}

/// Counts the handlers that exist.
#[derive(Clone, Default)]
pub(crate) struct Handlers(Arc<AtomicUsize>);

pub(crate) struct Running(Handlers);

impl Handlers {
    pub(crate) fn start(&self) -> Running {
        self.0.fetch_add(1, Ordering::SeqCst);
        Running(self.clone())
    }

    pub(crate) fn running(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::SeqCst);
    }
}

async fn echo(chat: Props<Chat>, mut socket: Socket) {
    while let Some(Ok(message)) = socket.recv().await {
        let Sent::Text(text) = message else { continue };
        let number = chat.messages().unwrap().fetch_add(1, Ordering::Relaxed) + 1;
        let answer = Sent::Text(format!("{number}: {text}").into());
        if socket.send(answer).await.is_err() {
            return;
        }
    }
}

/// Does as the text says.
async fn obey(mut socket: Socket) {
    while let Some(Ok(message)) = socket.recv().await {
        let Sent::Text(text) = message else { continue };
        match text.as_str() {
            "return" => return,
            "panic" => panic!("as asked for"),
            "close" => {
                let (code, reason) = (4001, "bye".into());
                let close = Sent::Close(Some(CloseFrame { code, reason }));
                socket.send(close).await.unwrap();
                return;
            }
            text => socket.send(Sent::Text(text.into())).await.unwrap(),
        }
    }
}

pub(crate) fn app(sessions: &SessionManager, handlers: &Handlers, stage: Stage) -> Router {
    let counted = |idle: Idle| {
        let handlers = handlers.clone();
        any(async move |upgrade: SessionUpgrade| -> Response {
            let running = handlers.start();
            upgrade.idle(idle).run(async move |socket: Socket| {
                let _running = running;
                obey(socket).await;
            })
        })
    };
    Router::new()
        .route(
            "/echo",
            any(
                async |upgrade: SessionUpgrade, chat: Props<Chat>| -> Response {
                    upgrade.run(move |socket| echo(chat, socket))
                },
            ),
        )
        .route("/obey", counted(Idle::WhileOpen))
        .route("/per-message", counted(Idle::PerMessage))
        .route(
            "/protocols",
            any(async |upgrade: SessionUpgrade| {
                upgrade
                    .map(|handshake| handshake.protocols(["v2", "v1"]))
                    .run(async |mut socket: Socket| {
                        let agreed = socket
                            .protocol()
                            .map(|name| name.to_str().unwrap().to_owned());
                        let text = Sent::Text(agreed.unwrap_or_default().into());
                        socket.send(text).await.unwrap();
                    })
            }),
        )
        .route(
            "/elsewhere",
            any(async move |upgrade: SessionUpgrade| {
                upgrade.run(async move |socket: Socket| {
                    let (mut sends, mut receives) = socket.split();
                    sends.send(Sent::Text("moved".into())).await.unwrap();
                    let reader = tokio::spawn(async move { receives.next().await.is_none() });
                    tokio::spawn(async move {
                        // Both ends find that it is over.
                        assert!(reader.await.unwrap());
                        sends.send(Sent::Text("late".into())).await.unwrap_err();
                        stage.arrive();
                    });
                    std::future::pending::<()>().await;
                })
            }),
        )
        .route(
            "/log-in-and-open",
            any(async |upgrade: SessionUpgrade, session: Session| {
                session.log_in("user".into())?;
                Ok::<_, SessionRejection>(upgrade.run(obey))
            }),
        )
        .route(
            "/end-by-itself",
            any(async |upgrade: SessionUpgrade, session: Session| {
                upgrade.run(async move |mut socket: Socket| {
                    socket.recv().await;
                    session.terminate_because("signed out");
                })
            }),
        )
        .route(
            "/no-strangers",
            any(async |upgrade: Option<SessionUpgrade>| match upgrade {
                Some(upgrade) => upgrade.run(obey),
                None => http::StatusCode::UNAUTHORIZED.into_response(),
            }),
        )
        .route(
            "/end-and-open",
            any(async |upgrade: SessionUpgrade, session: Session| {
                session.terminate();
                upgrade.run(obey)
            }),
        )
        .route(
            "/log-in",
            any(async |visitor: LazySession| -> Response {
                match visitor.log_in("user".into()) {
                    Ok(_) => ().into_response(),
                    Err(rejection) => rejection.into_response(),
                }
            }),
        )
        .layer(SessionLayer::new(sessions.clone()))
}

pub(crate) async fn start(sessions: &SessionManager) -> (Server, Handlers) {
    let handlers = Handlers::default();
    let server = Server::start(app(sessions, &handlers, Stage::default()), sessions).await;
    (server, handlers)
}

pub(crate) async fn say(client: &mut Client, text: &str) {
    client.send(Message::Text(text.into())).await.unwrap();
}

pub(crate) async fn hear(client: &mut Client) -> String {
    let message = client.next().await.unwrap().unwrap();
    message.into_text().unwrap().to_string()
}

#[tokio::test]
async fn r30_tabs_of_one_visitor_share_the_sessions_properties() {
    for http in Http::BOTH {
        let sessions = manager();
        let (server, _) = start(&sessions).await;
        let (mut first, response) = open(server.address, http, "/echo", "").await;
        // The cookie comes with the handshake.
        let session = sessions.sessions().pop().unwrap();
        let set = response.headers()["set-cookie"].to_str().unwrap();
        assert!(set.starts_with(&format!("{};", cookie(&session))), "{set}");
        let (mut second, response) = open(server.address, http, "/echo", &cookie(&session)).await;
        assert!(!response.headers().contains_key("set-cookie"));
        say(&mut first, "a").await;
        assert_eq!(hear(&mut first).await, "1: a");
        say(&mut second, "b").await;
        assert_eq!(hear(&mut second).await, "2: b");
        assert_eq!(sessions.sessions(), [session]);
    }
}

#[tokio::test]
async fn r30_refused_sessions_refuse_the_handshake() {
    let sessions = SessionManager::builder()
        .max_sessions(1, WhenFull::Reject)
        .build()
        .unwrap();
    let (server, handlers) = start(&sessions).await;
    let session = sessions.create().unwrap();
    let old = cookie(&session);
    let request = client::request("/log-in", &old);
    let logged_in = client::send(server.address, Http::One, request).await;
    assert_eq!(logged_in.status(), 200);
    for http in Http::BOTH {
        let status = async |path: &str, cookies: &str| {
            let handshake = sockets::handshake(http, path, cookies);
            let response = sockets::send(server.address, http, handshake).await;
            assert!(!response.headers().contains_key("set-cookie"));
            response.status().as_u16()
        };
        assert_eq!(status("/obey", &old).await, 409, "superseded");
        assert_eq!(status("/obey", "").await, 503, "full");
        assert_eq!(status("/no-strangers", &old).await, 409, "superseded");
        assert_eq!(status("/no-strangers", "").await, 401, "none is created");
    }
    let handshake = sockets::handshake(Http::One, "/end-and-open", &cookie(&session));
    let response = sockets::send(server.address, Http::One, handshake).await;
    assert_eq!(response.status(), 409, "ended");
    assert_eq!(handlers.running(), 0);
}

#[tokio::test]
async fn r30_axums_own_settings_are_within_reach() {
    for http in Http::BOTH {
        let sessions = manager();
        let (server, _) = start(&sessions).await;
        for (offered, agreed) in [("v1, v3", "v1"), ("v1, v2", "v2"), ("v3", "")] {
            let mut handshake = sockets::handshake(http, "/protocols", "");
            let headers = handshake.headers_mut();
            headers.insert("sec-websocket-protocol", offered.parse().unwrap());
            let response = sockets::send(server.address, http, handshake).await;
            let (mut client, response) = sockets::upgrade(http, response).await;
            let told = response.headers().get("sec-websocket-protocol");
            assert_eq!(told.map_or("", |told| told.to_str().unwrap()), agreed);
            assert_eq!(hear(&mut client).await, agreed);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn r30_an_open_socket_keeps_the_session_from_being_idle() {
    let sessions = manager();
    let ann = Browser::new(app(&sessions, &Handlers::default(), Stage::default()));
    let mut socket = ann.websocket("/obey").await;
    socket.send_text("hello").await;
    assert_eq!(socket.next().await, Some(Text("hello".into())));
    let session = ann.session(&sessions).unwrap();
    tokio::time::sleep(Duration::from_secs(4 * 3600)).await;
    assert!(!session.is_completed());
    assert_ended!(session, CompletionCause::AbsoluteTimeout);
}

#[tokio::test]
async fn r30_per_message_only_messages_from_the_client_count() {
    for http in Http::BOTH {
        let sessions = manager();
        let (server, handlers) = start(&sessions).await;
        let session = sessions.create().unwrap();
        let (mut client, _) = open(server.address, http, "/per-message", &cookie(&session)).await;
        // Answered, so that the server is known to have seen each.
        let ping = async |client: &mut Client| {
            client.send(Message::Ping("ping".into())).await.unwrap();
            let pong = client.next().await.unwrap().unwrap();
            assert!(matches!(pong, Message::Pong(_)));
        };
        ping(&mut client).await;
        let minutes = async |minutes: u64| {
            tokio::time::pause();
            tokio::time::sleep(Duration::from_secs(minutes * 60)).await;
            tokio::time::resume();
        };
        for _ in 0..3 {
            minutes(15).await;
            assert!(!session.is_completed());
            say(&mut client, "hello").await;
            assert_eq!(hear(&mut client).await, "hello");
        }
        minutes(15).await;
        ping(&mut client).await;
        assert!(!session.is_completed());
        minutes(10).await;
        assert!(session.is_completed());
        assert_ended!(session, CompletionCause::IdleTimeout);
        assert_eq!(handlers.running(), 0);
        drop(client);
    }
}

#[tokio::test]
async fn r30_other_servers_will_do() {
    let sessions = manager();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = app(&sessions, &Handlers::default(), Stage::default());
    tokio::spawn(axum::serve(listener, app).into_future());
    let (mut client, _) = open(address, Http::One, "/obey", "").await;
    sessions.shutdown(Duration::from_secs(10)).await;
    let told = closed(&mut client).await;
    assert_eq!(told, (1001, "shutdown".into(), Vec::new()));
}

#[tokio::test]
async fn r30_without_the_layer_it_says_so() {
    let app = Router::new().route("/", any(async |upgrade: SessionUpgrade| upgrade.run(obey)));
    assert_eq!(kit::get(&app, "/", "").await.status(), 500);
}
