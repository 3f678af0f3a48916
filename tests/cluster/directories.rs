//! The directories, in memory and in Redis: both do the same.

mod changes;
mod claims;
mod failures;
mod log;
mod runs;
mod verdicts;

use session_cluster::{Directory, InProcessDirectory, RedisDirectory};
use workspace_tests::RedisServer;

/// A store, with a directory in it.
pub(crate) trait Store {
    fn directory(&self) -> impl Directory + Clone;
    /// As another process has it.
    fn another_directory(&self) -> impl Directory;
    /// Begins a new run with all data.
    fn restart(&mut self);
    /// Begins a new run without data.
    fn empty(&mut self);
    fn kill(&mut self);
    fn pause(&mut self);
    /// Ends a pause.
    fn resume(&mut self);
}

pub(crate) struct InMemory(InProcessDirectory);

impl InMemory {
    pub(crate) fn new() -> Self {
        Self(InProcessDirectory::new())
    }
}

impl Store for InMemory {
    fn directory(&self) -> impl Directory + Clone {
        self.0.clone()
    }

    fn another_directory(&self) -> impl Directory {
        self.0.clone()
    }

    fn restart(&mut self) {
        self.0.fail_over(std::time::Duration::ZERO);
        self.0.start();
    }

    fn empty(&mut self) {
        self.0.empty();
    }

    fn kill(&mut self) {
        self.0.stop();
    }

    fn pause(&mut self) {
        self.0.pause();
    }

    fn resume(&mut self) {
        self.0.start();
    }
}

pub(crate) struct InRedis {
    server: RedisServer,
    directory: RedisDirectory,
}

impl InRedis {
    pub(crate) fn new() -> Self {
        let server = RedisServer::start_with(&["--appendonly", "yes", "--appendfsync", "always"]);
        let directory = RedisDirectory::open(&server.url()).expect("the URL is one");
        Self { server, directory }
    }
}

impl Store for InRedis {
    fn directory(&self) -> impl Directory + Clone {
        self.directory.clone()
    }

    fn another_directory(&self) -> impl Directory {
        RedisDirectory::open(&self.server.url()).expect("the URL is one")
    }

    fn restart(&mut self) {
        self.server.restart();
    }

    fn empty(&mut self) {
        self.server.command(&["FLUSHALL"]).expect("it answers");
    }

    fn kill(&mut self) {
        self.server.kill();
    }

    fn pause(&mut self) {
        self.server.pause();
    }

    fn resume(&mut self) {
        self.server.resume();
    }
}

/// Makes a test of each function for each of the directories.
macro_rules! on_both {
    ($($name:ident)*) => {
        mod in_memory {
            $(#[tokio::test]
            async fn $name() {
                super::$name(crate::directories::InMemory::new()).await;
            })*
        }

        mod in_redis {
            $(#[tokio::test]
            async fn $name() {
                super::$name(crate::directories::InRedis::new()).await;
            })*
        }
    };
}
pub(crate) use on_both;
