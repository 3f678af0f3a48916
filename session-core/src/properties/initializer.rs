//! Calls of initializers, in such a way that the compiler can say what does not fit.
//!
//! A path is called first, and what it gives is looked at then: that it is something else is told in words from
//! here. A closure is told beforehand what to give: the compiler points into it.

use std::marker::PhantomData;
use std::pin::Pin;

use crate::error::BoxError;

type BoxFuture<'a, O> = Pin<Box<dyn Future<Output = O> + Send + 'a>>;

/// A path that makes a property: it takes nothing, or `&InitContext`.
///
/// One lifetime is enough for sync and async ones alike: what is called borrows the context, and so does its
/// future.
#[diagnostic::on_unimplemented(
    message = "an initializer of this set takes nothing, or `&{C}`, and this one is `{Self}`",
    label = "takes something else",
    note = "`#[session(state = App)]` above the set makes it `&InitContext<App>`, `#[session(scope = group)]` makes it `&InitContext<_, SessionGroup>`"
)]
pub trait Initializer<'a, C: 'a, Marker> {
    /// What it gives: the value, a `Result`, or a future of either.
    type Output;

    /// Calls it.
    fn call(self, context: &'a C) -> Self::Output;
}

/// Marks initializers that take nothing.
#[derive(Debug)]
pub struct WithoutContext;

/// Marks initializers that take the context.
#[derive(Debug)]
pub struct WithContext;

impl<'a, C: 'a, O, F: FnOnce() -> O> Initializer<'a, C, WithoutContext> for F {
    type Output = O;

    fn call(self, _context: &'a C) -> O {
        self()
    }
}

impl<'a, C: 'a, O, F: FnOnce(&'a C) -> O> Initializer<'a, C, WithContext> for F {
    type Output = O;

    fn call(self, context: &'a C) -> O {
        self(context)
    }
}

/// Calls a path.
pub fn call<'a, C, M, F: Initializer<'a, C, M>>(context: &'a C, init: F) -> Made<F::Output> {
    Made(init.call(context))
}

/// Calls a path that gives a future. This is boxed: so it is the initializer that is blamed for not being `Send`.
pub fn call_async<'a, C, M, F, O>(context: &'a C, init: F) -> BoxFuture<'a, Made<O>>
where
    F: Initializer<'a, C, M, Output: InitFuture<Output = O> + Send + 'a>,
{
    let future = init.call(context).into_future();
    Box::pin(async { Made(future.await) })
}

/// What a path gave, which is known to the compiler before it is asked for what it should be.
#[derive(Debug)]
pub struct Made<O>(O);

impl<O> Made<O> {
    /// The value, if that is what it is.
    ///
    /// # Errors
    ///
    /// None: the caller takes initializers that can fail, too.
    pub fn value<T>(self) -> Result<T, BoxError>
    where
        Given: IsValue<T, O>,
    {
        Ok(Given::value(self.0))
    }

    /// The value, if it is a `Result`.
    ///
    /// # Errors
    ///
    /// What the initializer failed with.
    pub fn result<T>(self) -> Result<T, BoxError>
    where
        Given: IsResult<T, O, Error: InitError>,
    {
        Given::result(self.0).map_err(Into::into)
    }
}

/// Calls closures, which learn here that they give a `T`.
#[derive(Debug)]
pub struct Closure<T>(PhantomData<T>);

impl<T> Closure<T> {
    /// Calls one that can't fail.
    ///
    /// # Errors
    ///
    /// None.
    pub fn value<'a, C>(context: &'a C, init: impl FnOnce(&'a C) -> T) -> Result<T, BoxError> {
        Ok(init(context))
    }

    /// Calls one that can fail.
    ///
    /// # Errors
    ///
    /// What the initializer fails with.
    pub fn result<'a, C, E: InitError>(
        context: &'a C,
        init: impl FnOnce(&'a C) -> Result<T, E>,
    ) -> Result<T, BoxError> {
        init(context).map_err(Into::into)
    }
}

/// Calls closures, which learn here that they give a future of a `T`.
#[derive(Debug)]
pub struct AsyncClosure<T>(PhantomData<T>);

impl<T> AsyncClosure<T> {
    /// Calls one that can't fail.
    pub fn value<'a, C, F>(
        context: &'a C,
        init: impl FnOnce(&'a C) -> F,
    ) -> BoxFuture<'a, Result<T, BoxError>>
    where
        F: Future<Output = T> + Send + 'a,
    {
        let future = init(context);
        Box::pin(async { Ok(future.await) })
    }

    /// Calls one that can fail.
    pub fn result<'a, C, F, E: InitError>(
        context: &'a C,
        init: impl FnOnce(&'a C) -> F,
    ) -> BoxFuture<'a, Result<T, BoxError>>
    where
        F: Future<Output = Result<T, E>> + Send + 'a,
    {
        let future = init(context);
        Box::pin(async { future.await.map_err(Into::into) })
    }
}

/// What an async initializer gives.
#[diagnostic::on_unimplemented(
    message = "an async initializer gives a future, and this one gives `{Self}`",
    label = "gives no future",
    note = "write `init` for what gives the value at once, `try_init` for what gives a `Result` at once"
)]
pub trait InitFuture {
    /// What the future gives.
    type Output;

    /// The future.
    fn into_future(self) -> impl Future<Output = Self::Output> + Send
    where
        Self: Send;
}

#[diagnostic::do_not_recommend]
impl<F: Future> InitFuture for F {
    type Output = F::Output;

    fn into_future(self) -> impl Future<Output = F::Output> + Send
    where
        F: Send,
    {
        self
    }
}

/// Stands for what was given, whose type may be unknown yet: a generic function learns from the traits below what
/// to give.
#[derive(Debug)]
pub struct Given;

/// What an initializer gives that can't fail.
#[diagnostic::on_unimplemented(
    message = "this initializer gives `{O}`, and the property holds `{T}`",
    label = "gives `{O}`",
    note = "write `try_init` for what gives a `Result`, `async_init` for a future, `try_async_init` for a future of a `Result`",
    note = "a path is called with nothing, or with the `&InitContext`: write a closure if it takes something else"
)]
pub trait IsValue<T, O> {
    #[doc(hidden)]
    fn value(given: O) -> T;
}

#[diagnostic::do_not_recommend]
impl<T> IsValue<T, T> for Given {
    fn value(given: T) -> T {
        given
    }
}

/// What an initializer gives that can fail.
#[diagnostic::on_unimplemented(
    message = "an initializer that can fail gives `Result<{T}, _>`, and this one gives `{O}`",
    label = "gives `{O}`",
    note = "write `init` for what gives the value itself, `async_init` for a future, `try_async_init` for a future of a `Result`"
)]
pub trait IsResult<T, O> {
    #[doc(hidden)]
    type Error;
    #[doc(hidden)]
    fn result(given: O) -> Result<T, Self::Error>;
}

#[diagnostic::do_not_recommend]
impl<T, E> IsResult<T, Result<T, E>> for Given {
    type Error = E;

    fn result(given: Result<T, E>) -> Result<T, E> {
        given
    }
}

/// What an initializer may fail with.
#[diagnostic::on_unimplemented(
    message = "an initializer fails with what `?` turns into a `Box<dyn Error + Send + Sync>`, and this one with `{Self}`",
    label = "fails with `{Self}`",
    note = "implement `std::error::Error` for it, or give a `String`; a `Box<dyn Error>` needs `+ Send + Sync`"
)]
pub trait InitError: Into<BoxError> {}

#[diagnostic::do_not_recommend]
impl<E: Into<BoxError>> InitError for E {}
