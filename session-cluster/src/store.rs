//! The directory as the keeper calls it: without its type, and with the store's timeout around each call.

use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::stream::BoxStream;
use futures_util::{FutureExt as _, StreamExt as _};
use session_core::NodeTag;
use tokio::time::{Instant, timeout};

use crate::directory::{Answer, Beat, CaughtUp, Directory, DirectoryError, Position, Report, Run};

pub(crate) struct Store {
    directory: Box<dyn AnyDirectory>,
    timeout: Duration,
}

impl Store {
    pub(crate) fn new(directory: impl Directory, timeout: Duration) -> Self {
        let directory = Box::new(directory);
        Self { directory, timeout }
    }

    pub(crate) async fn sync(&self, report: Report<'_>) -> Result<Answer, DirectoryError> {
        self.in_time(self.directory.sync(report)).await
    }

    pub(crate) async fn bury(
        &self,
        tag: NodeTag,
        beat: Option<Beat>,
    ) -> Result<bool, DirectoryError> {
        self.in_time(self.directory.bury(tag, beat)).await
    }

    pub(crate) async fn append(
        &self,
        run: &Run,
        by: NodeTag,
        number: u64,
        entry: &[u8],
    ) -> Result<Option<Position>, DirectoryError> {
        let appended = self.directory.append(run, by, number, entry);
        self.in_time(appended).await
    }

    pub(crate) async fn catch_up(
        &self,
        run: &Run,
        tag: NodeTag,
        read: Position,
        readers: bool,
    ) -> Result<CaughtUp, DirectoryError> {
        let caught_up = self.directory.catch_up(run, tag, read, readers);
        self.in_time(caught_up).await
    }

    pub(crate) fn nudges(&self) -> BoxStream<'static, ()> {
        self.directory.nudges()
    }

    async fn in_time<T>(
        &self,
        call: BoxFuture<'_, Result<T, DirectoryError>>,
    ) -> Result<T, DirectoryError> {
        let begun = Instant::now();
        match timeout(self.timeout, call).await {
            // Of an answer that lay there while the process was asleep, nothing is known to be true still.
            Ok(answer) if begun.elapsed() <= self.timeout => answer,
            _ => {
                let message = format!("no answer within {:?}", self.timeout);
                Err(DirectoryError::new(message))
            }
        }
    }
}

/// A directory of any type: its futures are boxed.
trait AnyDirectory: Send + Sync {
    fn sync<'a>(&'a self, report: Report<'a>) -> BoxFuture<'a, Result<Answer, DirectoryError>>;

    fn bury(&self, tag: NodeTag, beat: Option<Beat>)
    -> BoxFuture<'_, Result<bool, DirectoryError>>;

    fn append<'a>(
        &'a self,
        run: &'a Run,
        by: NodeTag,
        number: u64,
        entry: &'a [u8],
    ) -> BoxFuture<'a, Result<Option<Position>, DirectoryError>>;

    fn catch_up<'a>(
        &'a self,
        run: &'a Run,
        tag: NodeTag,
        read: Position,
        readers: bool,
    ) -> BoxFuture<'a, Result<CaughtUp, DirectoryError>>;

    fn nudges(&self) -> BoxStream<'static, ()>;
}

impl<D: Directory> AnyDirectory for D {
    fn sync<'a>(&'a self, report: Report<'a>) -> BoxFuture<'a, Result<Answer, DirectoryError>> {
        Directory::sync(self, report).boxed()
    }

    fn bury(
        &self,
        tag: NodeTag,
        beat: Option<Beat>,
    ) -> BoxFuture<'_, Result<bool, DirectoryError>> {
        Directory::bury(self, tag, beat).boxed()
    }

    fn append<'a>(
        &'a self,
        run: &'a Run,
        by: NodeTag,
        number: u64,
        entry: &'a [u8],
    ) -> BoxFuture<'a, Result<Option<Position>, DirectoryError>> {
        Directory::append(self, run, by, number, entry).boxed()
    }

    fn catch_up<'a>(
        &'a self,
        run: &'a Run,
        tag: NodeTag,
        read: Position,
        readers: bool,
    ) -> BoxFuture<'a, Result<CaughtUp, DirectoryError>> {
        Directory::catch_up(self, run, tag, read, readers).boxed()
    }

    fn nudges(&self) -> BoxStream<'static, ()> {
        Directory::nudges(self).fuse().boxed()
    }
}
