//! The context that initializers take.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::error::BoxError;
use crate::error::PropsError;
use crate::life::owner::Owner;
use crate::properties::set::Home;
use crate::sessions::group::SessionGroup;
use crate::sessions::session::Session;

/// The argument of a property set's initializers: the session, the application's state, the completion token.
///
/// `S` is the set's `#[session(state = S)]`, and `L` is where the set lives: [`Session`], or [`SessionGroup`]
/// with `#[session(scope = group)]`.
pub struct InitContext<S = (), L = Session> {
    owner: L,
    state: Arc<S>,
}

impl<S: Send + Sync + 'static, L: Home> InitContext<S, L> {
    pub(crate) fn new(owner: &Owner) -> Result<Self, BoxError> {
        let missing = || PropsError::MissingState(std::any::type_name::<S>());
        // A set without a state has `()`, whatever the manager's state is.
        let unit: Arc<dyn Any + Send + Sync> = Arc::new(());
        let state = match unit.downcast() {
            Ok(unit) => unit,
            Err(_) => owner
                .local()
                .env
                .settings
                .state
                .clone()
                .and_then(|state| state.downcast().ok())
                .ok_or_else(missing)?,
        };
        Ok(Self {
            owner: L::from_owner(owner.clone()).ok_or(PropsError::SessionEnded)?,
            state,
        })
    }
}

impl<S, L> InitContext<S, L> {
    /// Returns the state that the manager was built with.
    pub fn state(&self) -> &S {
        &self.state
    }
}

impl<S, L: Home> InitContext<S, L> {
    /// Returns a token that is cancelled at completion. A long-running initializer should watch it.
    pub fn completion_token(&self) -> CancellationToken {
        self.owner.as_owner().local().token()
    }
}

impl<S> InitContext<S, Session> {
    /// Returns the session that the property is for.
    pub fn session(&self) -> Session {
        self.owner.clone()
    }
}

impl<S> InitContext<S, SessionGroup> {
    /// Returns the group that the property is for.
    pub fn group(&self) -> SessionGroup {
        self.owner.clone()
    }
}

impl<S, L: Clone> Clone for InitContext<S, L> {
    fn clone(&self) -> Self {
        Self {
            owner: self.owner.clone(),
            state: self.state.clone(),
        }
    }
}

impl<S, L: fmt::Debug> fmt::Debug for InitContext<S, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("InitContext").field(&self.owner).finish()
    }
}
