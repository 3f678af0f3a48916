//! Sessions of an MCP server: ours beside rmcp's own, with the same client and the same tools.

mod tools;

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};
use session_bench::harness::Bench;
use session_bench::report::{Verdict, ns, print_cases, print_verdicts, times};
use session_bench::{child, memory};
use session_core::{SessionManager, WhenFull};
use session_rmcp::LiveSessions;
use tokio::runtime::Runtime;
use tokio::time::sleep;

use tools::{Live, Local};

/// The number of sessions open at once, and of those that come and go.
const SESSIONS: usize = 10_000;
const ABANDONED: usize = 500;
/// The bound of the server that has one.
const MAX_SESSIONS: usize = 1_000;
const CALLS: usize = 20;
const LONG_CALLS: usize = 3;
const TIMEOUT: Duration = Duration::from_secs(1);

const MOST_TIME_OF_A_CALL: f64 = 1.0;
const MOST_TIME_OF_A_SESSION: f64 = 1.5;
const MOST_MEMORY: f64 = 1.1;

const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"bench","version":"1"}}}"#;
const INITIALIZED: &str = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
const INCREMENT: &str =
    r#"{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"increment"}}"#;
const SLOW: &str = r#"{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"slow"}}"#;

fn main() {
    if let Some(server) = std::env::args().nth(1) {
        for number in numbers(server.parse().expect("it is a place")) {
            println!("{number}");
        }
        return;
    }
    let runtime = session_bench::runtime();
    let verdicts = run(&runtime).into_iter();
    print_verdicts(&verdicts.map(|verdict| (8, verdict)).collect::<Vec<_>>());
}

/// Measures the row.
fn run(runtime: &Runtime) -> Vec<Verdict> {
    println!("\n### 8. Sessions of an MCP server\n");
    println!("| what | rmcp's `LocalSessionManager` | `LiveSessions` |");
    println!("|---|---:|---:|");
    let [theirs, ours] =
        [0, 1].map(|server| child::ask(env!("CARGO_PKG_NAME"), &[&server.to_string()]));
    let line = |what: &str, place: usize| {
        println!("| {what} | {:.0} | {:.0} |", theirs[place], ours[place]);
    };
    line(
        &format!(
            "sessions 3 s after {ABANDONED} abandoned `initialize`s, with an init timeout of 1 s"
        ),
        0,
    );
    line(
        &format!("answers to {LONG_CALLS} calls of 3 s, with an idle timeout of 1 s"),
        1,
    );
    line(
        &format!("sessions of {SESSIONS} clients, with a bound of {MAX_SESSIONS} if there is one"),
        2,
    );
    line(&format!("resident bytes of a session, of {SESSIONS}"), 3);
    line(
        &format!("sessions left when {SESSIONS} have come and gone"),
        4,
    );
    line(
        &format!("resident kilobytes more than before when {SESSIONS} more have come and gone"),
        5,
    );

    let mut bench = Bench::default();
    let mut cases = Vec::new();
    for server in [0, 1] {
        let name = ["rmcp", "live"][server];
        let service =
            Arc::new(runtime.block_on(async { Server::with(server, Settings::default()) }));
        let open = runtime.block_on(service.start());
        let its = service.clone();
        let call = bench.case(format!("a call, {name}"), CALLS, move || {
            runtime.block_on(async {
                for _ in 0..CALLS {
                    its.call(&open, INCREMENT).await;
                }
            });
        });
        let session = bench.case(format!("a session of one call, {name}"), 5, move || {
            runtime.block_on(async {
                for _ in 0..5 {
                    service.come_and_go().await;
                }
            });
        });
        cases.push([call, session]);
    }
    let measured = bench.run();
    print_cases("8. Requests, in process", &measured);
    let time = |what: &str, case: usize, most: f64| {
        let (theirs, ours) = (&measured[cases[0][case]], &measured[cases[1][case]]);
        let ratio = ours.over(theirs).median();
        println!(
            "\n{what}: {:.0} a second; rmcp {:.0}",
            1e9 / ours.median(),
            1e9 / theirs.median()
        );
        Verdict {
            what: format!("{what}; rmcp"),
            measured: ns(ours.median()),
            base: ns(theirs.median()),
            ratio: times(ratio),
            budget: times(most),
            ok: ratio <= most,
        }
    };
    let bytes = ours[3] / theirs[3];
    vec![
        time("an MCP call", 0, MOST_TIME_OF_A_CALL),
        time("an MCP session of one call", 1, MOST_TIME_OF_A_SESSION),
        Verdict {
            what: "resident bytes of an MCP session; rmcp".to_owned(),
            measured: format!("{:.0}", ours[3]),
            base: format!("{:.0}", theirs[3]),
            ratio: times(bytes),
            budget: times(MOST_MEMORY),
            ok: bytes <= MOST_MEMORY,
        },
    ]
}

/// Returns the numbers of the table for this server. To be called once in a process, outside a runtime.
fn numbers(server: usize) -> Vec<f64> {
    let abandoned = session_bench::runtime().block_on(async {
        let server = Server::with(
            server,
            Settings {
                init_timeout: Some(TIMEOUT),
                ..Settings::default()
            },
        );
        for _ in 0..ABANDONED {
            server
                .send(Method::POST, &HeaderMap::new(), INITIALIZE)
                .await;
        }
        sleep(3 * TIMEOUT).await;
        server.sessions().await
    });
    let answered = session_bench::runtime().block_on(async {
        let server = Server::with(
            server,
            Settings {
                idle_timeout: Some(TIMEOUT),
                ..Settings::default()
            },
        );
        let mut answered = 0;
        for _ in 0..LONG_CALLS {
            let open = server.start().await;
            answered += usize::from(server.call(&open, SLOW).await.contains("slow but sure"));
        }
        answered
    });
    let bounded = session_bench::runtime().block_on(async {
        let server = Server::with(
            server,
            Settings {
                bound: Some(MAX_SESSIONS),
                ..Settings::default()
            },
        );
        for _ in 0..SESSIONS {
            server
                .send(Method::POST, &HeaderMap::new(), INITIALIZE)
                .await;
        }
        server.sessions().await
    });
    let runtime = session_bench::runtime();
    let (each, left, grown) = runtime.block_on(async {
        let server = Server::with(server, Settings::default());
        server.come_and_go().await;
        let before = memory::resident();
        let mut open = Vec::with_capacity(SESSIONS);
        for _ in 0..SESSIONS {
            let session = server.start().await;
            server.call(&session, INCREMENT).await;
            open.push(session);
        }
        let each = (memory::resident() - before) / SESSIONS as f64;
        for session in open {
            server.send(Method::DELETE, &session, "").await;
        }
        server.settle().await;
        let left = server.sessions().await;
        let before = memory::resident();
        for _ in 0..SESSIONS {
            server.come_and_go().await;
        }
        server.settle().await;
        (each, left, (memory::resident() - before) / 1024.0)
    });
    vec![
        abandoned as f64,
        answered as f64,
        bounded as f64,
        each,
        left as f64,
        grown,
    ]
}

type Answer = (StatusCode, HeaderMap, String);
type Answering = Pin<Box<dyn Future<Output = Answer> + Send>>;

/// An MCP server with sessions of one kind.
struct Server {
    answer: Box<dyn Fn(Request<Body>) -> Answering>,
    kind: Kind,
}

/// The settings that differ from the defaults.
#[derive(Default)]
struct Settings {
    idle_timeout: Option<Duration>,
    init_timeout: Option<Duration>,
    bound: Option<usize>,
}

enum Kind {
    Local(Arc<LocalSessionManager>),
    Live(SessionManager),
}

impl Server {
    /// rmcp's own sessions for zero, ours for one.
    fn with(kind: usize, settings: Settings) -> Self {
        let config = StreamableHttpServerConfig::default();
        if kind == 0 {
            let mut manager = LocalSessionManager::default();
            if let Some(timeout) = settings.idle_timeout {
                manager.session_config.keep_alive = Some(timeout);
            }
            if let Some(timeout) = settings.init_timeout {
                manager.session_config.init_timeout = Some(timeout);
            }
            let manager = Arc::new(manager);
            let tools = Local::new();
            let factory = move || Ok(tools.of_a_session());
            let service = StreamableHttpService::new(factory, manager.clone(), config);
            let answer = move |request| -> Answering {
                let service = service.clone();
                Box::pin(async move { read(service.handle(request).await).await })
            };
            return Self {
                answer: Box::new(answer),
                kind: Kind::Local(manager),
            };
        }
        let mut sessions = SessionManager::builder();
        if let Some(max) = settings.bound {
            sessions = sessions.max_sessions(max, WhenFull::Reject);
        }
        if let Some(timeout) = settings.idle_timeout {
            sessions = sessions.idle_timeout(timeout);
        }
        let sessions = sessions.build().expect("a runtime is entered");
        let tools = Live::new();
        let mut live = LiveSessions::new(sessions.clone());
        if let Some(timeout) = settings.init_timeout {
            live = live.with_init_timeout(timeout);
        }
        let service = live.service(move || Ok(tools.clone()), config);
        let answer = move |request| -> Answering {
            let mut service = service.clone();
            Box::pin(async move {
                let answered = tower_service::Service::call(&mut service, request).await;
                read(answered.unwrap_or_else(|never| match never {})).await
            })
        };
        Self {
            answer: Box::new(answer),
            kind: Kind::Live(sessions),
        }
    }

    async fn send(&self, method: Method, session: &HeaderMap, body: &'static str) -> Answer {
        let mut request = Request::new(Body::from(body));
        *request.method_mut() = method;
        let headers = request.headers_mut();
        *headers = session.clone();
        headers.insert("host", HeaderValue::from_static("localhost"));
        headers.insert("content-type", HeaderValue::from_static("application/json"));
        let accept = HeaderValue::from_static("application/json, text/event-stream");
        headers.insert("accept", accept);
        (self.answer)(request).await
    }

    /// Starts a session, and returns the headers of its requests.
    async fn start(&self) -> HeaderMap {
        let (status, headers, _) = self.send(Method::POST, &HeaderMap::new(), INITIALIZE).await;
        assert_eq!(status, StatusCode::OK);
        let mut session = HeaderMap::new();
        session.insert("mcp-session-id", headers["mcp-session-id"].clone());
        let (status, _, _) = self.send(Method::POST, &session, INITIALIZED).await;
        assert_eq!(status, StatusCode::ACCEPTED);
        session
    }

    /// Calls a tool, and returns the whole stream.
    async fn call(&self, session: &HeaderMap, call: &'static str) -> String {
        let (status, _, body) = self.send(Method::POST, session, call).await;
        assert_eq!(status, StatusCode::OK);
        body
    }

    async fn come_and_go(&self) {
        let session = self.start().await;
        self.call(&session, INCREMENT).await;
        let (status, _, _) = self.send(Method::DELETE, &session, "").await;
        assert_eq!(status, StatusCode::ACCEPTED);
    }

    async fn sessions(&self) -> usize {
        match &self.kind {
            Kind::Local(manager) => manager.sessions.read().await.len(),
            Kind::Live(sessions) => sessions.stats().active,
        }
    }

    /// Lets the tasks of ended sessions end.
    async fn settle(&self) {
        sleep(Duration::from_secs(1)).await;
    }
}

async fn read<B>(answer: axum::http::Response<B>) -> Answer
where
    B: axum::body::HttpBody<Error: std::fmt::Debug>,
{
    let (head, body) = answer.into_parts();
    let body = body
        .collect()
        .await
        .expect("it does not break off")
        .to_bytes();
    let body = String::from_utf8_lossy(&body).into_owned();
    (head.status, head.headers, body)
}
