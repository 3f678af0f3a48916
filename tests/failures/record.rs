//! All answers of a test, and the rules that hold for each of them, whatever fails.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use serde::Deserialize;
use serde_json::Value;
use tokio::time::Instant;

use crate::node::Node;

/// A session, as a handler saw it.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Seen {
    /// The visitor that it was made for.
    pub(crate) owner: String,
    pub(crate) serial: u64,
    /// The number of requests that it has counted.
    pub(crate) count: u64,
    /// Whether this request has created it.
    pub(crate) new: bool,
}

/// A request, and what became of it.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) visitor: String,
    pub(crate) door: SocketAddr,
    #[expect(dead_code, reason = "a check that fails shows it")]
    pub(crate) path: String,
    pub(crate) presented: Option<String>,
    pub(crate) sent: Instant,
    pub(crate) done: Instant,
    /// `None` if the connection failed or was cut.
    pub(crate) status: Option<u16>,
    /// The node whose handler has answered.
    pub(crate) by: Option<String>,
    /// The node at whose door the request came in.
    pub(crate) at: Option<String>,
    pub(crate) has_retry_after: bool,
    /// The id that the answer has set.
    pub(crate) issued: Option<String>,
    pub(crate) body: Value,
    pub(crate) session: Option<Seen>,
}

impl Answer {
    pub(crate) fn is_ok(&self) -> bool {
        self.status == Some(200)
    }

    /// Whether it is of a session that was there before.
    pub(crate) fn is_known(&self) -> bool {
        self.is_ok() && self.session.as_ref().is_some_and(|seen| !seen.new)
    }

    /// Whether the visitor was taken for a stranger, and has a new session.
    pub(crate) fn is_stranger(&self) -> bool {
        self.is_ok() && self.session.as_ref().is_some_and(|seen| seen.new)
    }

    pub(crate) fn is_unsure(&self) -> bool {
        self.status == Some(503)
    }

    /// Whether its session ended while it was running.
    pub(crate) fn is_cut_short(&self) -> bool {
        self.status == Some(409) && self.body["type"] == "urn:problem-type:session-ended"
    }

    pub(crate) fn seen(&self) -> &Seen {
        let seen = self.session.as_ref();
        seen.unwrap_or_else(|| panic!("no session: {self:?}"))
    }

    fn life(&self) -> Option<(String, u64)> {
        Some((self.by.clone()?, self.session.as_ref()?.serial))
    }
}

#[derive(Default)]
struct Kept {
    answers: Vec<Answer>,
    /// Ids that must not be served to requests that were sent after the time.
    revoked: HashMap<String, Instant>,
}

/// The record of a test.
#[derive(Clone, Default)]
pub(crate) struct Record(Arc<Mutex<Kept>>);

impl Record {
    pub(crate) fn add(&self, answer: Answer) {
        self.0.lock().unwrap().answers.push(answer);
    }

    /// Notes that the id must not be served to a request that is sent from now on.
    pub(crate) fn revoke(&self, id: &str) {
        self.revoke_from(id, Instant::now());
    }

    pub(crate) fn revoke_from(&self, id: &str, at: Instant) {
        self.0
            .lock()
            .unwrap()
            .revoked
            .entry(id.to_owned())
            .or_insert(at);
    }

    pub(crate) fn answers(&self) -> Vec<Answer> {
        self.0.lock().unwrap().answers.clone()
    }

    /// Checks what holds for all answers:
    ///
    /// - no visitor is answered from another's session;
    /// - no id is issued twice, and no session is on two nodes: an id is answered by the process that has issued it, from
    ///   the same session, or by none;
    /// - no session goes back in time;
    /// - no session is served after it has ended, or after its id was revoked.
    pub(crate) fn check(&self, nodes: &[Node]) {
        let kept = self.0.lock().unwrap();
        let mut issuers = HashMap::new();
        for answer in &kept.answers {
            if let Some(seen) = &answer.session {
                assert_eq!(seen.owner, answer.visitor, "another's session: {answer:?}");
            }
            if let Some(id) = &answer.issued {
                let earlier = issuers.insert(id.clone(), answer);
                assert!(earlier.is_none(), "issued twice: {earlier:?}, {answer:?}");
            }
        }
        let mut lives: HashMap<_, Vec<&Answer>> = HashMap::new();
        for answer in &kept.answers {
            let Some(life) = answer.life() else { continue };
            lives.entry(life).or_default().push(answer);
            if answer.is_stranger() {
                assert!(answer.issued.is_some(), "new, without an id: {answer:?}");
                continue;
            }
            let id = answer.presented.as_ref();
            let id = id.unwrap_or_else(|| panic!("known without an id: {answer:?}"));
            let issuer = issuers
                .get(id)
                .unwrap_or_else(|| panic!("known by an id that nobody issued: {answer:?}"));
            assert_eq!(
                answer.life(),
                issuer.life(),
                "{answer:?} is not of {issuer:?}"
            );
            let is_revoked = kept.revoked.get(id).is_some_and(|at| *at < answer.sent);
            assert!(!is_revoked, "served after it was revoked: {answer:?}");
        }
        for answers in lives.values() {
            for earlier in answers {
                let later = answers.iter().filter(|later| earlier.done < later.sent);
                for later in later {
                    assert!(
                        earlier.seen().count < later.seen().count,
                        "back in time: {earlier:?}, {later:?}"
                    );
                }
            }
        }
        for (name, serial, at) in nodes.iter().flat_map(Node::ended) {
            let answers = lives.get(&(name, serial)).into_iter().flatten();
            for answer in answers {
                assert!(answer.sent < at, "served after its end: {answer:?}");
            }
        }
    }
}
