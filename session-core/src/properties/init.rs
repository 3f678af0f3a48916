//! What initialisers get, and how they are called.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::error::PropsError;
use crate::group::SessionGroup;
use crate::local::LocalSession;
use crate::owner::Owner;
use crate::properties::creation::BoxError;
use crate::properties::set::Home;
use crate::session::Session;

/// What an initialiser of a property set gets: the session, the application's state, the completion token.
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
                .shared
                .state
                .clone()
                .and_then(|state| state.downcast().ok())
                .ok_or_else(missing)?,
        };
        Ok(Self {
            owner: L::from_owner(owner).ok_or(PropsError::SessionEnded)?,
            state,
        })
    }
}

impl<S, L> InitContext<S, L> {
    /// The state that the manager was built with.
    pub fn state(&self) -> &S {
        &self.state
    }
}

impl<S, L: LocalSession> InitContext<S, L> {
    /// A token that is cancelled at completion: an initialiser that takes long should heed it.
    pub fn completion_token(&self) -> CancellationToken {
        self.owner.completion_token()
    }
}

impl<S> InitContext<S, Session> {
    /// The session that the property is for.
    pub fn session(&self) -> Session {
        self.owner.clone()
    }
}

impl<S> InitContext<S, SessionGroup> {
    /// The group that the property is for.
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

/// A function or closure that makes a property: it takes nothing, or `&InitContext`.
///
/// One lifetime is enough for sync and async ones alike: what is called borrows the context, and so does its
/// future.
#[diagnostic::on_unimplemented(
    message = "this is no initialiser for a set whose context is `{C}`",
    label = "takes neither nothing nor `&{C}`",
    note = "an initialiser is `fn() -> ..` or `fn(&{C}) -> ..`; `#[session(state = ..)]` on the set names the state"
)]
pub trait Initialiser<'a, C: 'a, Marker> {
    /// What it gives: the value, a `Result`, or a future of either.
    type Output;

    /// Calls it.
    fn call(self, context: &'a C) -> Self::Output;
}

/// Marks initialisers that take nothing.
#[derive(Debug)]
pub struct WithoutContext;

/// Marks initialisers that take the context.
#[derive(Debug)]
pub struct WithContext;

impl<'a, C: 'a, O, F: FnOnce() -> O> Initialiser<'a, C, WithoutContext> for F {
    type Output = O;

    fn call(self, _context: &'a C) -> O {
        self()
    }
}

impl<'a, C: 'a, O, F: FnOnce(&'a C) -> O> Initialiser<'a, C, WithContext> for F {
    type Output = O;

    fn call(self, context: &'a C) -> O {
        self(context)
    }
}

/// Calls a path, or a closure without parameters.
pub fn call<'a, C, M, F: Initialiser<'a, C, M>>(context: &'a C, init: F) -> F::Output {
    init.call(context)
}

/// Calls a closure with one parameter, whose type it learns here.
pub fn call_closure<'a, C, O>(context: &'a C, init: impl FnOnce(&'a C) -> O) -> O {
    init(context)
}
