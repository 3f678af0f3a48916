//! Calls of initializers, written so that the compiler can say what does not fit.
//!
//! A path is called first and its result is checked afterwards, so that a mismatch is reported with the messages in
//! this file. The return type of a closure is known beforehand, so that the compiler points into the closure.

use std::marker::PhantomData;
use std::pin::Pin;

use crate::error::BoxError;

type BoxFuture<'a, O> = Pin<Box<dyn Future<Output = O> + Send + 'a>>;

/// A path that creates a property. It takes nothing, or `&InitContext`.
///
/// One lifetime is enough for sync and async ones alike: the function borrows the context, and so does its
/// future.
#[diagnostic::on_unimplemented(
    message = "an initializer of this set must take nothing or `&{C}`, but this one is `{Self}`",
    label = "takes something else",
    note = "`#[session(state = App)]` above the set makes it `&InitContext<App>`; `#[session(scope = group)]` makes it `&InitContext<_, SessionGroup>`"
)]
pub trait Initializer<'a, C: 'a, Marker> {
    /// Its return type: the value, a `Result`, or a future of either.
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

/// Calls a path that returns a future. It is boxed, so that the compiler blames the initializer if it is not `Send`.
pub fn call_async<'a, C, M, F, O>(context: &'a C, init: F) -> BoxFuture<'a, Made<O>>
where
    F: Initializer<'a, C, M, Output: InitFuture<Output = O> + Send + 'a>,
{
    let future = init.call(context).into_future();
    Box::pin(async { Made(future.await) })
}

/// The result of a path. The compiler knows its type before it is asked for the expected type.
#[derive(Debug)]
pub struct Made<O>(O);

impl<O> Made<O> {
    /// Returns the value, if the result is the value itself.
    ///
    /// # Errors
    ///
    /// None. The caller also accepts initializers that can fail.
    pub fn value<T>(self) -> Result<T, BoxError>
    where
        Given: IsValue<T, O>,
    {
        Ok(Given::value(self.0))
    }

    /// Returns the value, if the result is a `Result`.
    ///
    /// # Errors
    ///
    /// The initializer's error.
    pub fn result<T>(self) -> Result<T, BoxError>
    where
        Given: IsResult<T, O, Error: InitError>,
    {
        Given::result(self.0).map_err(Into::into)
    }
}

/// Calls closures that return a `T`, which the compiler learns here.
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
    /// The initializer's error.
    pub fn result<'a, C, E: InitError>(
        context: &'a C,
        init: impl FnOnce(&'a C) -> Result<T, E>,
    ) -> Result<T, BoxError> {
        init(context).map_err(Into::into)
    }
}

/// Calls closures that return a future of a `T`, which the compiler learns here.
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

/// The return type of an async initializer.
#[diagnostic::on_unimplemented(
    message = "an async initializer must return a future, but this one returns `{Self}`",
    label = "does not return a future",
    note = "write `init` if it returns the value itself, `try_init` if it returns a `Result`"
)]
pub trait InitFuture {
    /// The output of the future.
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

/// Stands for a result whose type may not be known yet: a generic function's return type is inferred from the traits
/// below.
#[derive(Debug)]
pub struct Given;

/// The result of an initializer that can't fail.
#[diagnostic::on_unimplemented(
    message = "this initializer returns `{O}`, but the property holds `{T}`",
    label = "returns `{O}`",
    note = "write `try_init` if it returns a `Result`, `async_init` for a future, `try_async_init` for a future of a `Result`",
    note = "a path is called with nothing or with `&InitContext`; write a closure if it takes something else"
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

/// The result of an initializer that can fail.
#[diagnostic::on_unimplemented(
    message = "a fallible initializer must return `Result<{T}, _>`, but this one returns `{O}`",
    label = "returns `{O}`",
    note = "write `init` if it returns the value itself, `async_init` for a future, `try_async_init` for a future of a `Result`"
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

/// The error of an initializer.
#[diagnostic::on_unimplemented(
    message = "the error of an initializer must convert with `?` into a `Box<dyn Error + Send + Sync>`, but this one fails with `{Self}`",
    label = "fails with `{Self}`",
    note = "implement `std::error::Error` for it, or return a `String` as the error; a `Box<dyn Error>` needs `+ Send + Sync`"
)]
pub trait InitError: Into<BoxError> {}

#[diagnostic::do_not_recommend]
impl<E: Into<BoxError>> InitError for E {}
