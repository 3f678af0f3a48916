//! One node, as far as a directory knows it.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use session_cluster::{
    Answer, Beat, CaughtUp, Directory, DirectoryError, Position, Pulse, Report, Run, Seen,
};
use session_core::NodeTag;

pub(crate) struct Node {
    pub(crate) tag: NodeTag,
    pub(crate) address: SocketAddr,
    pub(crate) beat: u64,
    pub(crate) load: u64,
    pub(crate) card: &'static [u8],
    pub(crate) read: Option<Position>,
    pub(crate) seen: Option<Seen>,
}

impl Node {
    pub(crate) fn at(port: u16) -> Self {
        Self {
            tag: NodeTag::random(),
            address: SocketAddr::from(([127, 0, 0, 1], port)),
            beat: 0,
            load: 0,
            card: b"card",
            read: None,
            seen: None,
        }
    }

    /// Claims a tag at this port.
    pub(crate) async fn joined(directory: &impl Directory, port: u16) -> Self {
        let mut node = Self::at(port);
        let answer = node.claim(directory).await;
        assert_eq!(answer.standing, session_cluster::Standing::Held);
        node
    }

    pub(crate) async fn claim(&mut self, directory: &impl Directory) -> Answer {
        self.sync(directory, true).await.expect("it answers")
    }

    pub(crate) async fn renew(&mut self, directory: &impl Directory) -> Answer {
        self.sync(directory, false).await.expect("it answers")
    }

    /// Reports with the next beat, and takes the answer in.
    pub(crate) async fn sync(
        &mut self,
        directory: &impl Directory,
        claims: bool,
    ) -> Result<Answer, DirectoryError> {
        self.beat += 1;
        let answer = directory.sync(self.report(claims)).await?;
        self.read = Some(answer.read);
        self.seen = Some(answer.seen.clone());
        Ok(answer)
    }

    pub(crate) fn report(&self, claims: bool) -> Report<'_> {
        Report {
            tag: self.tag,
            claims,
            address: self.address,
            beat: Beat(self.beat),
            card: self.card,
            load: self.load,
            read: self.read,
            seen: self.seen.as_ref(),
        }
    }

    /// Catches up in the run, and at the place, of the last answer.
    pub(crate) async fn catch_up(&self, directory: &impl Directory, readers: bool) -> CaughtUp {
        let read = self.read.expect("there was an answer");
        let call = directory.catch_up(self.run(), self.tag, read, readers);
        call.await.expect("it answers")
    }

    pub(crate) fn run(&self) -> &Run {
        &self.seen.as_ref().expect("there was an answer").run
    }

    pub(crate) fn pulse(&self) -> Pulse {
        Pulse {
            beat: Beat(self.beat),
            load: self.load,
        }
    }
}

/// Pairs in no particular order, each tag once.
pub(crate) fn by_tag<T: Clone>(pairs: &[(NodeTag, T)]) -> BTreeMap<NodeTag, T> {
    let map: BTreeMap<_, _> = pairs.iter().cloned().collect();
    assert_eq!(map.len(), pairs.len(), "a tag is there twice");
    map
}

pub(crate) trait AppendNow: Directory {
    /// Appends an entry to the log of whichever run the store is in.
    fn append_now(
        &self,
        by: NodeTag,
        number: u64,
        entry: &[u8],
    ) -> impl Future<Output = Result<Position, DirectoryError>> + Send {
        async move {
            let other_run = Run(String::new());
            let asked = self.catch_up(&other_run, by, Position::default(), false);
            let run = asked.await?.run;
            let place = self.append(&run, by, number, entry).await?;
            Ok(place.expect("the run has not changed meanwhile"))
        }
    }
}

impl<D: Directory> AppendNow for D {}
