//! The state of the nodes, as they tell it, and what happened to them.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::process::ExitStatus;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use serde::Serialize;
use tokio::time::Instant;

use super::word::{Mode, State, Word};

/// A node that says nothing for longer is passed over by the load balancer, as by one with health checks.
const SILENCE: Duration = Duration::from_secs(1);
/// The number of events that are kept.
const EVENTS: usize = 100;

pub(crate) struct Board(Mutex<Inner>);

struct Inner {
    since: Instant,
    nodes: Vec<Node>,
    events: VecDeque<Event>,
    /// The events that the log has not been told.
    news: Vec<String>,
}

/// A node, and all that it has said so far.
struct Node {
    pid: u32,
    address: SocketAddr,
    /// Its last state, and when it came.
    last: Option<(State, Instant)>,
    /// The tags that it has had, the last one at the end.
    tags: Vec<String>,
    /// Those that another node has found to be dead, or that it has lost.
    gone: Vec<String>,
    exit: Option<String>,
}

#[derive(Clone, Serialize)]
pub(crate) struct Event {
    /// In seconds since the start.
    at: f64,
    text: String,
}

/// The board, as the page shows it.
#[derive(Serialize)]
pub(crate) struct Overview {
    nodes: Vec<Shown>,
    /// The last one first.
    events: Vec<Event>,
    /// The content of the visitor's cookie.
    you: String,
}

#[derive(Serialize)]
struct Shown {
    number: usize,
    pid: u32,
    url: String,
    tag: Option<String>,
    state: String,
    lease: &'static str,
    sessions: Option<usize>,
}

impl Board {
    pub(crate) fn new(nodes: impl IntoIterator<Item = (u32, SocketAddr)>) -> Self {
        let node = |(pid, address)| Node {
            pid,
            address,
            last: None,
            tags: Vec::new(),
            gone: Vec::new(),
            exit: None,
        };
        Self(Mutex::new(Inner {
            since: Instant::now(),
            nodes: nodes.into_iter().map(node).collect(),
            events: VecDeque::new(),
            news: Vec::new(),
        }))
    }

    /// The addresses to which a connection may be passed, the best one first.
    pub(crate) fn nodes_in_turn(&self, turn: usize) -> Vec<SocketAddr> {
        let inner = self.inner();
        let mut nodes: Vec<_> = inner.nodes.iter().collect();
        nodes.rotate_left(turn % inner.nodes.len());
        nodes.sort_by_key(|node| !node.is_ready());
        nodes.into_iter().map(|node| node.address).collect()
    }

    /// Notes what the node with this index has said.
    pub(crate) fn heard(&self, index: usize, word: Word) {
        self.change(|inner| match word {
            Word::Listens(_) => {}
            Word::State(state) => inner.state(index, state),
            Word::NewSession { had, has: _ } => {
                let was = inner.node_of(&had).filter(|was| *was != index);
                let from = was.map_or_else(
                    || format!("with an id of the lost tag {had}"),
                    |was| format!("of node {}", was + 1),
                );
                inner.happened(format!(
                    "a visitor {from} has a new session on node {}: the old one is gone",
                    index + 1
                ));
            }
        });
    }

    /// Notes the end of the node's process.
    pub(crate) fn exited(&self, index: usize, status: ExitStatus) {
        self.change(|inner| {
            let node = &mut inner.nodes[index];
            let sessions = node.last.take().map_or(0, |(state, _)| state.sessions);
            node.exit = Some(status.to_string());
            let pid = node.pid;
            inner.happened(format!(
                "node {} (pid {pid}) has ended, {status}: {} went with it",
                index + 1,
                sessions_in_words(sessions)
            ));
        });
    }

    /// Returns all that there is to show to a visitor with an id of this tag, if they have one.
    pub(crate) fn overview(&self, tag: Option<&str>) -> Overview {
        let inner = self.inner();
        let nodes = inner.nodes.iter().enumerate();
        Overview {
            nodes: nodes.map(|(index, node)| node.shown(index)).collect(),
            events: inner.events.iter().rev().cloned().collect(),
            you: tag.map_or_else(
                || "You have no session: run a query.".to_owned(),
                |tag| inner.you(tag),
            ),
        }
    }

    /// Changes the board, and logs what has happened.
    fn change(&self, change: impl FnOnce(&mut Inner)) {
        let news = {
            let mut inner = self.inner();
            change(&mut inner);
            std::mem::take(&mut inner.news)
        };
        for event in news {
            tracing::info!("{event}");
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().expect("no holder panics")
    }
}

impl Inner {
    fn happened(&mut self, text: String) {
        if self.events.len() == EVENTS {
            self.events.pop_front();
        }
        let at = self.since.elapsed().as_secs_f64();
        self.news.push(text.clone());
        self.events.push_back(Event { at, text });
    }

    fn node_of(&self, tag: &str) -> Option<usize> {
        let had = |node: &Node| node.tags.iter().any(|had| had == tag);
        self.nodes.iter().position(had)
    }

    /// Takes in a node's state, and tells how it differs from the last one.
    fn state(&mut self, index: usize, state: State) {
        let number = index + 1;
        let node = &mut self.nodes[index];
        let last = node.last.take();
        let mut events = Vec::new();
        if let Some(tag) = state
            .tag
            .as_ref()
            .filter(|tag| node.tags.last() != Some(*tag))
        {
            if let Some(lost) = node.tags.last() {
                node.gone.push(lost.clone());
                events.push(format!(
                    "node {number} had been given up by the others while it was away: it goes on under the tag {tag}, \
                     and its old sessions have ended"
                ));
            }
            node.tags.push(tag.clone());
        }
        if let Some((last, _)) = &last {
            if last.holds && !state.holds {
                events.push(format!(
                    "node {number} is out of touch with Redis: its sessions wait, and none has ended"
                ));
            } else if !last.holds && state.holds {
                events.push(format!("node {number} is in touch with Redis again"));
            }
            if last.mode != state.mode {
                events.push(match state.mode {
                    Mode::Draining => format!(
                        "node {number} drains: {} may end there, and new visitors go to other nodes",
                        sessions_in_words(state.sessions)
                    ),
                    _ => format!("node {number} has left the cluster"),
                });
            }
            let lost = last.others.iter().filter(|tag| !state.others.contains(tag));
            for tag in lost {
                events.extend(self.lost(tag));
            }
        }
        self.nodes[index].last = Some((state, Instant::now()));
        for event in events {
            self.happened(event);
        }
    }

    /// A node has found this tag to be dead. Returns what to tell, if none has before.
    fn lost(&mut self, tag: &str) -> Option<String> {
        let index = self.node_of(tag)?;
        let node = &mut self.nodes[index];
        if node.gone.iter().any(|gone| gone == tag) {
            return None;
        }
        node.gone.push(tag.to_owned());
        Some(format!(
            "the others know that node {} (tag {tag}) is gone: its visitors are strangers from now on",
            index + 1
        ))
    }

    fn you(&self, tag: &str) -> String {
        let Some(index) = self.node_of(tag) else {
            return "Your cookie is not of this cluster: your next query gets a new session."
                .to_owned();
        };
        let (node, number) = (&self.nodes[index], index + 1);
        if node.gone.iter().any(|gone| gone == tag) {
            format!(
                "Your session was on node {number} (tag {tag}) and is gone: your next query gets a new one."
            )
        } else if node.exit.is_some() {
            format!(
                "Your session was on node {number} (tag {tag}), which has just ended: your requests wait until the others are \
                 sure of it, and are answered with 503."
            )
        } else {
            format!("Your session is on node {number} (tag {tag}).")
        }
    }
}

impl Node {
    fn is_ready(&self) -> bool {
        self.last.as_ref().is_some_and(|(state, heard)| {
            heard.elapsed() < SILENCE && state.holds && state.mode == Mode::Serving
        })
    }

    fn shown(&self, index: usize) -> Shown {
        let (state, lease) = match (&self.last, &self.exit) {
            (_, Some(exit)) => (format!("ended, {exit}"), ""),
            (None, None) => ("starts".to_owned(), ""),
            (Some((_, heard)), None) if heard.elapsed() > SILENCE => {
                (format!("silent for {} s", heard.elapsed().as_secs()), "")
            }
            (Some((state, _)), None) => {
                let mode = match state.mode {
                    Mode::Serving => "serving",
                    Mode::Draining => "draining",
                    Mode::Left => "left",
                };
                let lease = if state.holds { "held" } else { "out of touch" };
                (mode.to_owned(), lease)
            }
        };
        let last = self.last.as_ref().map(|(state, _)| state);
        Shown {
            number: index + 1,
            pid: self.pid,
            url: format!("http://{}", self.address),
            tag: self.tags.last().cloned(),
            state,
            lease,
            sessions: last.map(|last| last.sessions),
        }
    }
}

fn sessions_in_words(number: usize) -> String {
    match number {
        0 => "no session".to_owned(),
        1 => "1 session".to_owned(),
        _ => format!("{number} sessions"),
    }
}
