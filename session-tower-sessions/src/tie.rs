//! The tie between their session and a live one, for one request.
//!
//! These must hold:
//!
//! 1. Only an id that their store knows names a live session. An id that it does not know ends the live session of that
//!    id, unless another request has just taken it from its clients; an error of the store ends nothing.
//! 2. No request enters by an id that another has given up, from the moment when it does so. Until that one's response
//!    the requests [under way](UnderWay) tell, afterwards the superseded key.
//! 3. A live session follows its id to the new one if the client is told that, and ends otherwise.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use session_axum::{KeyedRequest, LazySession};
use session_core::{
    LocalSession as _, NotLive, PropertyInfo, PropertyState, Session, SessionKey, SessionManager,
};
use tokio::time::timeout;
use tower_sessions::session::Id;

use crate::groups::Groups;
use crate::key::key;
use crate::under_way::UnderWay;

/// How long a request waits for their store before it goes on without an answer.
const STORE_TIMEOUT: Duration = Duration::from_secs(5);

/// The state that all requests share.
#[derive(Clone, Debug)]
pub(crate) struct Shared {
    pub(crate) sessions: SessionManager,
    pub(crate) under_way: Arc<UnderWay>,
    /// Finds the group of a session that is created for a known id.
    pub(crate) groups: Option<Groups>,
    /// Is inserted into the session of a client that has a live one and would have no record.
    pub(crate) marker: Option<Arc<str>>,
}

pub(crate) struct Tie {
    shared: Shared,
    theirs: tower_sessions::Session,
    /// The name that the request came with, if any.
    name: Option<Name>,
    ours: KeyedRequest,
    /// Set when the handler has returned and the request has given its id up: the serial of the live session that it
    /// is inside and that was parted from the others.
    given_up: OnceLock<Option<u64>>,
}

/// An id of theirs, as it came with a request.
struct Name {
    id: Id,
    key: SessionKey,
    standing: Standing,
}

/// The standing of an id that came with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// Their store knows it. The request is under way with this number.
    Known(u64),
    /// Their store does not know it.
    Unknown,
    /// It was taken from its client a moment ago, or another request is about to do so.
    Superseded,
    /// Their store did not answer.
    Unverified,
}

impl Standing {
    /// Whether the live session of this id is the one that the request ends by giving the id up.
    fn names_a_session(self) -> bool {
        matches!(self, Self::Known(_) | Self::Unverified)
    }
}

/// The end of a request, as its client sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Its client is told its new id, if it has one.
    Told,
    /// The response is an error of the server, which sets no cookie, or there is none.
    Untold,
}

impl Tie {
    /// Verifies the id that the request came with. Their session keeps the record that this loads.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is done, it has changed nothing.
    pub(crate) async fn new(shared: Shared, theirs: tower_sessions::Session) -> Self {
        let name = match theirs.id() {
            Some(id) => {
                let key = key(id);
                let standing = shared.verify(id, &key, &theirs).await;
                Some(Name { id, key, standing })
            }
            None => None,
        };
        let ours = match &name {
            Some(Name { id, key, standing }) => shared.keyed(*id, key, *standing),
            None => KeyedRequest::stranger(),
        };
        Self {
            shared,
            theirs,
            name,
            ours,
            given_up: OnceLock::new(),
        }
    }

    /// The live session's side of the request. If the id is known and has no live session, this finds the group of one
    /// that is created.
    pub(crate) async fn keyed(&self) -> KeyedRequest {
        let keyed = self.ours.clone();
        let (Some(groups), Some(name)) = (&self.shared.groups, &self.name) else {
            return keyed;
        };
        let is_known = matches!(name.standing, Standing::Known(_));
        if !is_known || self.shared.sessions.get_keyed(&name.key).is_ok() {
            return keyed;
        }
        match groups.find(self.theirs.clone()).await {
            Some(group) => keyed.in_group(group),
            None => keyed,
        }
    }

    /// Called when the handler has returned. If the request has given its id up and is to have no other, the live session
    /// ends. Otherwise it is parted from the others: one may be a stranger's that planted the id.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it is done, it has changed nothing that is saved: the request [settles](Self::settle) without a
    /// response.
    pub(crate) async fn handler_returned(&self, visitor: &LazySession) {
        let Some(name) = self.name.as_ref().filter(|_| self.has_given_up()) else {
            return self.mark().await;
        };
        // Nothing will be saved: their layer removes the cookie, whatever the response.
        if self.theirs.is_empty().await {
            let _ = self.given_up.set(None);
            if name.standing.names_a_session() {
                log_out(self.shared.sessions.get_keyed(&name.key).ok());
            }
            return;
        }
        let own = visitor.get();
        let parted = own.filter(|own| own.cycle_id().is_ok());
        let _ = self.given_up.set(parted.map(|own| own.serial()));
    }

    /// Makes their layer save a record for a client that has a live session and would have no id.
    async fn mark(&self) {
        let Some(marker) = &self.shared.marker else {
            return;
        };
        let created = self.ours.created();
        let is_live = created.is_some_and(|created| !created.is_completed());
        if is_live && self.theirs.is_empty().await {
            // It has no record to load, so this can't fail.
            let _ = self.theirs.insert(marker, true).await;
        }
    }

    /// Whether their layer must not see the response: it would remove the cookie of a client whose id was superseded,
    /// and that may be the new one by then.
    pub(crate) fn passes_by(&self) -> bool {
        let Some(name) = &self.name else { return false };
        let superseded = || match name.standing {
            Standing::Superseded => true,
            Standing::Known(number) => self.shared.is_superseded(name.id, &name.key, Some(number)),
            Standing::Unknown | Standing::Unverified => false,
        };
        !self.theirs.is_modified() && superseded()
    }

    /// Called once, at the end of the request.
    pub(crate) fn settle(&self, end: End) {
        let now = self.theirs.id();
        // Their layer sets no cookie for a session that is not modified, even if the handler has saved it.
        let told = now.filter(|_| end == End::Told && self.theirs.is_modified());
        if let Some(name) = &self.name {
            self.follow(name, now, end);
            if let Standing::Known(number) = name.standing {
                self.shared.under_way.leave(name.id, number);
            }
        }
        if let Some(created) = self.ours.created() {
            let new = told.filter(|now| self.name.as_ref().is_none_or(|name| name.id != *now));
            if new.is_none_or(|id| created.rekey(Some(&key(id))).is_err()) {
                if end == End::Told && now.is_none() && holds_values(&created) {
                    tracing::warn!(
                        "the values of a live session go with its request, since nothing was saved in tower-sessions: \
                         set `LiveSessions::with_marker`, or insert something into the session of tower-sessions"
                    );
                }
                // It ends with its last activity: usually this request, whose body may go on.
                created.set_idle_timeout(Duration::ZERO);
            }
        }
    }

    /// Moves the live session of the name to the request's new id, or ends it, if the request has given its id up.
    fn follow(&self, name: &Name, now: Option<Id>, end: End) {
        let was_given_up = self.given_up.get().is_some() || self.has_given_up();
        if !was_given_up || !name.standing.names_a_session() {
            return;
        }
        let verified = matches!(name.standing, Standing::Known(_));
        let sessions = &self.shared.sessions;
        // After `flush` and `insert` their session has the same id again.
        let supersedes = end == End::Told && now != Some(name.id);
        if let Some(new) = now.filter(|_| supersedes && verified) {
            match sessions.rekey(&name.key, Some(&key(new))) {
                Ok(None) => return,
                Ok(Some(session)) => return self.has_moved(&session),
                Err(error) => tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "a live session could not follow its id in tower-sessions, and is ended"
                ),
            }
        }
        let ended = if supersedes {
            sessions.rekey(&name.key, None).ok().flatten()
        } else {
            sessions.get_keyed(&name.key).ok()
        };
        log_out(ended);
    }

    fn has_moved(&self, session: &Session) {
        let serial = session.serial();
        tracing::debug!(session = serial, "the id in tower-sessions has changed");
        if self.given_up.get() != Some(&Some(serial)) {
            // The request is not inside: others have created the session under the old id.
            drop(session.cycle_id());
        }
    }

    /// Whether the request has changed or dropped the id it came with. An id that is gone from an unmodified session is
    /// one that their store has failed to delete.
    fn has_given_up(&self) -> bool {
        let Some(name) = &self.name else { return false };
        match self.theirs.id() {
            Some(now) => now != name.id,
            None => self.theirs.is_modified(),
        }
    }
}

impl Shared {
    async fn verify(&self, id: Id, key: &SessionKey, theirs: &tower_sessions::Session) -> Standing {
        if self.is_superseded(id, key, None) {
            return Standing::Superseded;
        }
        // Any value: this is for the load, which makes their session forget an unknown id.
        let loaded = timeout(STORE_TIMEOUT, theirs.get_value("")).await;
        let loaded = match &loaded {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(error as &dyn std::error::Error),
            Err(late) => Err(late as &dyn std::error::Error),
        };
        match (loaded, theirs.id()) {
            (Err(error), _) => {
                tracing::warn!(
                    error,
                    "no live session for a request: the store of tower-sessions did not answer"
                );
                Standing::Unverified
            }
            (Ok(()), Some(_)) => Standing::Known(self.under_way.enter(id, theirs.clone())),
            (Ok(()), None) if self.is_superseded(id, key, None) => Standing::Superseded,
            (Ok(()), None) => {
                if let Ok(session) = self.sessions.get_keyed(key) {
                    let serial = session.serial();
                    tracing::debug!(session = serial, "tower-sessions no longer knows the id");
                    session.terminate();
                }
                Standing::Unknown
            }
        }
    }

    /// Whether the id was taken from its client a moment ago, or another request is about to do so.
    fn is_superseded(&self, id: Id, key: &SessionKey, own: Option<u64>) -> bool {
        self.under_way.is_given_up(id, own)
            || self.sessions.get_keyed(key) == Err(NotLive::Superseded)
    }

    fn keyed(&self, id: Id, key: &SessionKey, standing: Standing) -> KeyedRequest {
        match standing {
            Standing::Known(number) => {
                let under_way = Arc::clone(&self.under_way);
                KeyedRequest::named_while(key.clone(), move || {
                    !under_way.is_given_up(id, Some(number))
                })
            }
            Standing::Unknown => KeyedRequest::stranger(),
            Standing::Superseded => KeyedRequest::superseded(),
            Standing::Unverified => KeyedRequest::unavailable(),
        }
    }
}

fn log_out(session: Option<Session>) {
    if let Some(session) = session {
        tracing::debug!(session = session.serial(), "logged out of tower-sessions");
        session.terminate();
    }
}

fn holds_values(session: &Session) -> bool {
    let properties = session.properties().list();
    let mut states = properties.iter().map(PropertyInfo::state);
    !session.is_completed() && states.any(|state| state == PropertyState::Present)
}
