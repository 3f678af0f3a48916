//! The first process: it starts the others, and stops them.

use std::io;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use session_axum::shutdown_signal;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::args::{Args, NodeOptions, Options, USAGE};
use super::board::Board;
use super::process::NodeProcess;
use super::redis::{Redis, RedisError};
use super::{front, node, page};
use crate::local::{ListenError, failure, listen, start_log};
use crate::workbench::{Database, LoadError};

const PROGRAM: &str = "cluster";
const NODES: usize = 3;

/// The reason why there is no cluster.
#[derive(Debug, thiserror::Error)]
enum StartError {
    #[error(transparent)]
    Listen(#[from] ListenError),
    #[error(transparent)]
    Redis(#[from] RedisError),
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// The program. It returns 2 for a wrong command line, 1 if it cannot serve, and 130 if it was told to stop at once.
pub fn main() -> ExitCode {
    let options = match Args::parse(std::env::args().skip(1)) {
        Ok(Args::Start(options)) => options,
        Ok(Args::Node(options)) => return node::main(options),
        Ok(Args::Help) => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        Err(message) => return failure(PROGRAM, message, 2),
    };
    start_log();
    let ended = Runtime::new()
        .map_err(StartError::from)
        .and_then(|runtime| runtime.block_on(run(options)));
    match ended {
        Ok(code) => code,
        Err(error) => failure(PROGRAM, error, 1),
    }
}

async fn run(options: Options) -> Result<ExitCode, StartError> {
    let visitors = listen(options.listen).await?;
    let watchers = listen(options.status).await?;
    let front = visitors.local_addr()?;
    // Removed when this function returns.
    let directory = tempfile::Builder::new().prefix("cluster-").tempdir()?;
    let redis = Redis::start(directory.path()).await?;
    let database = Database::load(&[], directory.path(), Duration::ZERO)?;
    let node = NodeOptions {
        front: front.port(),
        redis: redis.port,
        lease: options.lease,
        database: database.path().to_owned(),
    };
    let secret = node::random_secret();
    let mut nodes = Vec::new();
    for number in 1..=NODES {
        nodes.push(NodeProcess::start(number, &node, &secret).await?);
    }

    println!("front   http://{front}");
    println!("status  http://{}", watchers.local_addr()?);
    for (index, node) in nodes.iter().enumerate() {
        let (number, address, pid) = (index + 1, node.address, node.pid);
        println!("node {number}  http://{address}  pid {pid}");
    }
    println!("redis   127.0.0.1:{}  pid {}", redis.port, redis.pid);

    let board = nodes.iter().map(|node| (node.pid, node.address));
    let board = Arc::new(Board::new(board));
    let stop = CancellationToken::new();
    let mut watched = JoinSet::new();
    for (index, node) in nodes.into_iter().enumerate() {
        watched.spawn(node.watch(index, stop.clone(), Arc::clone(&board)));
    }
    let status = page::router(Arc::clone(&board), front.port());
    let status = tokio::spawn(axum::serve(watchers, status).into_future());
    let forward = tokio::spawn(front::forward(visitors, board));
    shutdown_signal().await;

    tracing::info!("stopping the nodes; once more to stop at once");
    let code = tokio::select! {
        () = async {
            stop.cancel();
            while watched.join_next().await.is_some() {}
        } => ExitCode::SUCCESS,
        // Their handles are dropped with the tasks, and kill them.
        () = shutdown_signal() => ExitCode::from(130),
    };
    watched.shutdown().await;
    forward.abort();
    status.abort();
    redis.stop().await;
    Ok(code)
}
