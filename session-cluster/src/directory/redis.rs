//! A directory in Redis or Valkey.
//!
//! Invariants:
//! - Each call is one script, so it is one step for all nodes. Its keys share a hash tag.
//! - Each call can be repeated, and may come late: it then changes nothing that later ones have written.

mod connection;
mod nudges;
mod reply;

use std::error::Error;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::Stream;
use redis::{Client, FromRedisValue, RedisError, Script, ToRedisArgs};
use session_core::NodeTag;
use tokio::time::Instant;

use self::connection::Connections;
use super::{Answer, Beat, CaughtUp, Directory, DirectoryError, Position, Report, Run};

/// A [`Directory`] in Redis 7 or later, or in Valkey. Clones share their connections.
///
/// All nodes of a cluster have the same server and the same [prefix](Self::with_prefix). The store is small: some 200
/// bytes for each node, and the groups that were ended in the last 24 hours. It needs no persistence, no replicas, and
/// no special time to live: a server that comes back empty costs nobody a session. Three settings matter:
///
/// - `maxmemory-policy` is `noeviction` or a `volatile-` policy, so that the server drops none of the keys.
/// - With replicas, `min-replicas-to-write 1` keeps a server that was cut off from its replicas from answering beside the
///   one that has taken over.
/// - With access control, the user may run `EVALSHA`, `SCRIPT LOAD`, `INFO`, `TIME` and `SUBSCRIBE`, publish to the
///   channel, and read and write the keys, all of which begin with the prefix in braces.
///
/// A failover has to keep the URL's address, by name or by a proxy: a directory asks no Sentinel, and is no client of a
/// Redis Cluster with more than one shard. A server that has become a replica counts as one that does not answer, and the
/// next call connects anew. For `rediss://` URLs, add `redis` to your own dependencies with its
/// `tokio-rustls-comp` feature.
///
/// ```no_run
/// use session_cluster::RedisDirectory;
///
/// # fn main() -> Result<(), session_cluster::RedisUrlError> {
/// let directory = RedisDirectory::open("redis://:secret@redis.internal:6379")?.with_prefix("shop");
/// # let _ = directory; Ok(()) }
/// ```
#[derive(Clone)]
pub struct RedisDirectory {
    shared: Arc<Shared>,
}

struct Shared {
    connections: Connections,
    /// The run of the last answer, and when its first answer came.
    known: Mutex<Option<(Run, Instant)>>,
    prefix: String,
    keys: [String; KEYS.len()],
    sync: Script,
    bury: Script,
    append: Script,
    catch_up: Script,
}

/// The keys, in the order in which the scripts take them.
const KEYS: [&str; 11] = [
    "run",
    "beats",
    "addresses",
    "tags",
    "cards",
    "card-changes",
    "verdicts",
    "verdict-times",
    "log",
    "numbers",
    "readers",
];

macro_rules! script {
    ($file:literal) => {
        Script::new(concat!(
            include_str!("redis/common.lua"),
            include_str!($file)
        ))
    };
}

impl RedisDirectory {
    /// Creates a directory in the server at this URL, for example `redis://user:password@host:6379/0`. It connects with
    /// the first call, so the server need not be up.
    ///
    /// # Errors
    ///
    /// Returns an error if the URL can't be used.
    pub fn open(url: &str) -> Result<Self, RedisUrlError> {
        let client = Client::open(url).map_err(RedisUrlError)?;
        Ok(Self::new(client, "session-cluster"))
    }

    /// Returns the directory under another prefix than `session-cluster`: clusters that share a server have different
    /// ones.
    #[must_use]
    pub fn with_prefix(self, prefix: &str) -> Self {
        Self::new(self.shared.connections.client().clone(), prefix)
    }

    fn new(client: Client, prefix: &str) -> Self {
        let shared = Shared {
            connections: Connections::new(client),
            known: Mutex::default(),
            prefix: prefix.to_owned(),
            keys: KEYS.map(|key| format!("{{{prefix}}}:{key}")),
            sync: script!("redis/sync.lua"),
            bury: script!("redis/bury.lua"),
            append: script!("redis/append.lua"),
            catch_up: script!("redis/catch_up.lua"),
        };
        let shared = Arc::new(shared);
        Self { shared }
    }

    async fn invoke<T: FromRedisValue>(
        &self,
        script: &Script,
        tag: NodeTag,
        arguments: impl ToRedisArgs,
    ) -> Result<T, DirectoryError> {
        let mut invocation = script.prepare_invoke();
        invocation.key(&self.shared.keys);
        invocation.arg(new_name()?).arg(tag.encode()).arg(arguments);
        let reply = self.shared.connections.invoke(&invocation).await;
        reply.map_err(DirectoryError::new)
    }

    /// Returns the time since the first answer of this run, which is now if it is another run than the last one's.
    fn known_for(&self, run: &Run) -> Duration {
        let known = self.shared.known.lock();
        let mut known = known.unwrap_or_else(PoisonError::into_inner);
        match &*known {
            Some((of, since)) if of == run => since.elapsed(),
            _ => {
                *known = Some((run.clone(), Instant::now()));
                Duration::ZERO
            }
        }
    }

    /// The channel of the log has the log's name.
    fn channel(&self) -> String {
        format!("{{{}}}:log", self.shared.prefix)
    }
}

/// Returns a random name, for the case that the script begins a new run.
fn new_name() -> Result<String, DirectoryError> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).map_err(DirectoryError::new)?;
    Ok(format!("{:016x}", u64::from_be_bytes(bytes)))
}

fn text(position: Position) -> String {
    format!("{}-{}", position.0, position.1)
}

impl Directory for RedisDirectory {
    async fn sync(&self, report: Report<'_>) -> Result<Answer, DirectoryError> {
        let (seen_run, seen_changes) = match report.seen {
            Some(seen) => (seen.run.0.as_str(), seen.changes),
            None => ("", 0),
        };
        let known_for = report.seen.map(|seen| self.known_for(&seen.run));
        let known_for = known_for.unwrap_or_default();
        let arguments = (
            report.claims,
            report.address.to_string(),
            report.beat.0,
            report.load,
            report.card,
            report.read.map(text).unwrap_or_default(),
            seen_run,
            seen_changes,
            known_for.as_millis().to_string(),
        );
        let reply = self.invoke(&self.shared.sync, report.tag, arguments);
        let answer = reply::answer(reply.await?)?;
        self.known_for(&answer.run);
        Ok(answer)
    }

    async fn bury(&self, tag: NodeTag, beat: Option<Beat>) -> Result<bool, DirectoryError> {
        let beat = beat.map(|beat| beat.0.to_string()).unwrap_or_default();
        self.invoke(&self.shared.bury, tag, beat).await
    }

    async fn append(
        &self,
        run: &Run,
        by: NodeTag,
        number: u64,
        entry: &[u8],
    ) -> Result<Option<Position>, DirectoryError> {
        let arguments = (run.0.as_str(), number, entry, self.channel());
        let position = self.invoke(&self.shared.append, by, arguments);
        let position: Option<String> = position.await?;
        position.as_deref().map(reply::position).transpose()
    }

    async fn catch_up(
        &self,
        run: &Run,
        tag: NodeTag,
        read: Position,
        readers: bool,
    ) -> Result<CaughtUp, DirectoryError> {
        let arguments = (run.0.as_str(), text(read), readers);
        let reply = self.invoke(&self.shared.catch_up, tag, arguments);
        reply::caught_up(reply.await?)
    }

    fn nudges(&self) -> impl Stream<Item = ()> + Send + 'static {
        let client = self.shared.connections.client().clone();
        nudges::nudges(client, self.channel())
    }
}

impl fmt::Debug for RedisDirectory {
    /// The URL has a password, so it is not shown.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisDirectory")
            .field("prefix", &self.shared.prefix)
            .finish_non_exhaustive()
    }
}

/// The URL of a [`RedisDirectory`] can't be used.
#[derive(Debug)]
pub struct RedisUrlError(RedisError);

impl fmt::Display for RedisUrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the URL of the cluster's Redis can't be used: it is one such as `redis://host:6379`",
        )
    }
}

impl Error for RedisUrlError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}
