//! A node's own process: the workbench, with a layer more.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::process::ExitCode;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::SET_COOKIE;
use axum::middleware::{Next, from_fn, from_fn_with_state, map_response};
use axum::response::Response;
use session_axum::shutdown_signal;
use session_cluster::{
    Cluster, ClusterLayer, JoinClusterError, Lease, RedisDirectory, RedisUrlError,
};
use session_core::SessionManager;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;
use tokio::time::sleep;

use super::args::{NodeOptions, SECRET};
use super::page::tag_in;
use super::word::{self, Mode, Word};
use crate::local::{as_problem, only_local};
use crate::workbench::{
    Database, GRACE, LoadError, SHUTDOWN_TIMEOUT, manage_sessions, router, session_layer,
    start_log, tell,
};

/// How long a session lives without a request.
const IDLE: Duration = Duration::from_secs(20 * 60);
/// How long an open transaction may be idle while others of this node wait for it.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long sessions go on after SIGTERM.
const DRAIN: Duration = Duration::from_secs(60);
/// How often the node tells its state.
const MOMENT: Duration = Duration::from_millis(200);

#[derive(Debug, thiserror::Error)]
enum NodeError {
    #[error("cannot join: {0}")]
    Join(#[from] JoinClusterError),
    #[error("cannot use the store: {0}")]
    Store(#[from] RedisUrlError),
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// The program of a node.
pub(crate) fn main(options: NodeOptions) -> ExitCode {
    start_log();
    let ended = Runtime::new().map_err(NodeError::from).and_then(|runtime| {
        let ended = runtime.block_on(serve(options));
        // A statement that does not stop in time does not keep the process alive.
        runtime.shutdown_background();
        ended
    });
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(options: NodeOptions) -> Result<(), NodeError> {
    let NodeOptions {
        front,
        redis,
        lease,
        database,
    } = options;
    // Removed when this function returns.
    let scratch = tempfile::Builder::new().prefix("node-").tempdir()?;
    let database = Database::load(&[database], scratch.path(), PATIENCE)?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let sessions = manage_sessions(&database, IDLE);
    let told = tokio::spawn(tell(sessions.subscribe()));

    let store = RedisDirectory::open(&format!("redis://127.0.0.1:{redis}"))?;
    let cluster = Cluster::builder(sessions.clone(), store)
        .address(address)
        .secret(std::env::var(SECRET).unwrap_or_default())
        .lease(lease)
        .period(lease / 6)
        .store_timeout(lease / 15)
        .join()
        .await?;
    let layer = session_layer(sessions.clone(), front);
    let app = router(database, layer.clone())
        .layer(from_fn_with_state(front, tell_new_sessions))
        .layer(ClusterLayer::new(&cluster, &layer))
        .layer(map_response(unavailable))
        .layer(from_fn(only_local));
    say(&Word::Listens(address));
    let telling = tokio::spawn(tell_state(cluster.clone(), sessions.clone()));

    let its_sessions = sessions.clone();
    let leaving = async move {
        leave(&cluster).await;
        say(&Word::State(state(&cluster, &its_sessions)));
    };
    session_axum::serve(listener, app, sessions)
        .with_graceful_shutdown(leaving)
        .grace(GRACE)
        .timeout(SHUTDOWN_TIMEOUT)
        .await;
    telling.abort();
    told.abort();
    Ok(())
}

/// Waits until the node is told to leave, and leaves the cluster.
async fn leave(cluster: &Cluster) {
    let parent_gone = input_closed();
    tokio::pin!(parent_gone);
    let is_to_drain = tokio::select! {
        () = &mut parent_gone => false,
        () = shutdown_signal() => true,
    };
    if is_to_drain {
        // Sessions go on meanwhile, unless the whole cluster is stopped.
        tokio::select! {
            _ = cluster.leave(DRAIN, SHUTDOWN_TIMEOUT) => return,
            () = parent_gone => {}
        }
    }
    cluster.leave(Duration::ZERO, SHUTDOWN_TIMEOUT).await;
}

/// Returns a secret for a new cluster, in characters that a variable can hold.
pub(crate) fn random_secret() -> String {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).expect("the operating system returns random bits");
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes all");
        text
    })
}

/// Waits until the process that has started this one has closed its standard input, or is gone.
fn input_closed() -> impl Future<Output = ()> {
    let (closed, is_closed) = oneshot::channel();
    // A thread of its own, since a read that waits would keep the runtime from ending.
    std::thread::spawn(move || {
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        let _ = closed.send(());
    });
    async {
        let _ = is_closed.await;
    }
}

/// Tells the first process, if it is still there.
fn say(word: &Word) {
    let line = serde_json::to_string(word).expect("its keys are strings");
    let _ = writeln!(io::stdout(), "{line}");
}

async fn tell_state(cluster: Cluster, sessions: SessionManager) {
    loop {
        say(&Word::State(state(&cluster, &sessions)));
        sleep(MOMENT).await;
    }
}

fn state(cluster: &Cluster, sessions: &SessionManager) -> word::State {
    let nodes = cluster.nodes();
    let lease = cluster.metrics().lease;
    let drains = nodes.iter().any(|node| node.is_self && node.is_draining);
    word::State {
        tag: cluster.tag().map(|tag| tag.encode()),
        mode: match lease {
            Lease::Left => Mode::Left,
            _ if drains => Mode::Draining,
            _ => Mode::Serving,
        },
        holds: lease == Lease::Holding,
        sessions: sessions.stats().active,
        others: nodes
            .iter()
            .filter(|node| !node.is_self)
            .map(|node| node.tag.encode())
            .collect(),
    }
}

/// Tells the page that a session's node can't be reached, in the form of the workbench's other problems. The layer's other
/// answers are for nodes.
async fn unavailable(response: Response) -> Response {
    if response.status() == StatusCode::SERVICE_UNAVAILABLE {
        as_problem(response).await
    } else {
        response
    }
}

/// Tells of visitors with a new session here, whose old one was on another node.
async fn tell_new_sessions(State(front): State<u16>, request: Request, next: Next) -> Response {
    let name = format!("workbench-{front}");
    let had = tag_in(request.headers(), &name).map(str::to_owned);
    let response = next.run(request).await;
    let set = response.headers().get(SET_COOKIE);
    let set = set.and_then(|set| set.to_str().ok()?.strip_prefix(&name)?.strip_prefix('='));
    // A log-out sets an empty one.
    let id = set.and_then(|set| set.split(';').next());
    let has = id.and_then(|id| id.get(..4)).map(str::to_owned);
    if let (Some(had), Some(has)) = (had, has)
        && had != has
    {
        say(&Word::NewSession { had, has });
    }
    response
}
