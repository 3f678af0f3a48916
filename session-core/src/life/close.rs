//! Closing a value: its hook, or its `Drop`.

use std::any::Any;
use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;

use futures_util::FutureExt as _;

use crate::life::report::Trouble;

/// How a close went.
pub(crate) type Closed = Result<(), Trouble>;

type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// What a property is closed with: a function or closure, sync or async, that takes the value by value.
///
/// It gives `()` or `Result<R, E>` with `E: Debug`, or a future of either. A sync hook runs inline, so work
/// that blocks belongs in an async one, in `spawn_blocking`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't close a `{T}`",
    label = "not a close hook for `{T}`",
    note = "write `fn(value: {T})` or `async fn(value: {T})`, `Send + Sync + 'static`; it gives `()` or a `Result` whose error is `Debug`"
)]
pub trait CloseHook<T, Marker>: Send + Sync + 'static {
    #[doc(hidden)]
    fn into_hook(self) -> Hook<T>;
}

/// A hook, whatever its type was.
pub struct Hook<T>(Kind<T>);

enum Kind<T> {
    Sync(Box<dyn FnOnce(T) -> Closed + Send + Sync>),
    Async(Box<dyn FnOnce(T) -> BoxFuture<Closed> + Send + Sync>),
    /// For a wrapper with drop glue around a value that has none: there is nothing to close.
    Nothing,
}

impl<T> std::fmt::Debug for Hook<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self.0 {
            Kind::Sync(_) => "Hook::Sync",
            Kind::Async(_) => "Hook::Async",
            Kind::Nothing => "Hook::Nothing",
        })
    }
}

/// What a hook may give.
pub trait Verdict {
    #[doc(hidden)]
    fn verdict(self) -> Result<(), String>;
}

impl Verdict for () {
    fn verdict(self) -> Result<(), String> {
        Ok(())
    }
}

impl<R, E: Debug> Verdict for Result<R, E> {
    fn verdict(self) -> Result<(), String> {
        // What the hook made of the value goes the way of any value: nobody asked for it.
        self.map(drop).map_err(|error| format!("{error:?}"))
    }
}

/// Tells sync hooks from async ones.
#[derive(Debug)]
pub struct SyncMarker<R>(R);

/// Tells async hooks from sync ones.
#[derive(Debug)]
pub struct AsyncMarker<F>(F);

impl<T, R, F> CloseHook<T, SyncMarker<R>> for F
where
    F: FnOnce(T) -> R + Send + Sync + 'static,
    R: Verdict,
{
    fn into_hook(self) -> Hook<T> {
        Hook(Kind::Sync(Box::new(move |value| {
            self(value).verdict().map_err(Trouble::Failed)
        })))
    }
}

impl<T, Fut, F> CloseHook<T, AsyncMarker<Fut>> for F
where
    F: FnOnce(T) -> Fut + Send + Sync + 'static,
    Fut: Future + Send + 'static,
    Fut::Output: Verdict,
{
    fn into_hook(self) -> Hook<T> {
        Hook(Kind::Async(Box::new(move |value| {
            let closing = self(value);
            Box::pin(async move { closing.await.verdict().map_err(Trouble::Failed) })
        })))
    }
}

impl<T: 'static> Hook<T> {
    /// The same hook for a value that wraps a `T`.
    pub(crate) fn before<W: 'static>(self, unwrap: fn(W) -> T) -> Hook<W> {
        Hook(match self.0 {
            Kind::Sync(close) => Kind::Sync(Box::new(move |wrapped| close(unwrap(wrapped)))),
            Kind::Async(close) => Kind::Async(Box::new(move |wrapped| close(unwrap(wrapped)))),
            Kind::Nothing => Kind::Nothing,
        })
    }
}

impl<T> Hook<T> {
    /// What stands for no hook where `T` wraps a value without drop glue.
    pub(crate) fn nothing() -> Self {
        Self(Kind::Nothing)
    }
}

/// Does nothing happen when such a value is closed?
pub(crate) fn is_trivial<T>(hook: Option<&Hook<T>>) -> bool {
    match hook {
        None => !std::mem::needs_drop::<T>(),
        Some(hook) => matches!(hook.0, Kind::Nothing),
    }
}

/// A close under way.
pub(crate) enum Closing {
    Done(Closed),
    Pending(BoxFuture<Closed>),
}

/// Starts to close `value`: drops it, or runs its hook, up to the hook's first `.await` if it is async.
pub(crate) fn close<T>(value: T, hook: Option<Hook<T>>) -> Closing {
    match hook {
        None | Some(Hook(Kind::Nothing)) => Closing::Done(caught(|| {
            drop(value);
            Ok(())
        })),
        Some(Hook(Kind::Sync(close))) => Closing::Done(caught(|| close(value))),
        Some(Hook(Kind::Async(close))) => match catch_unwind(AssertUnwindSafe(|| close(value))) {
            Ok(closing) => Closing::Pending(Box::pin(async move {
                AssertUnwindSafe(closing)
                    .catch_unwind()
                    .await
                    .unwrap_or_else(|panic| Err(panicked(panic)))
            })),
            Err(panic) => Closing::Done(Err(panicked(panic))),
        },
    }
}

/// Runs `close`, and takes a panic for what it is: this value's trouble and nobody else's.
pub(crate) fn caught(close: impl FnOnce() -> Closed) -> Closed {
    catch_unwind(AssertUnwindSafe(close)).unwrap_or_else(|panic| Err(panicked(panic)))
}

fn panicked(panic: Box<dyn Any + Send>) -> Trouble {
    Trouble::Panicked(panic_message(panic))
}

/// The text of a panic.
pub(crate) fn panic_message(panic: Box<dyn Any + Send>) -> String {
    let message = match panic.downcast::<String>() {
        Ok(message) => return *message,
        Err(panic) => match panic.downcast::<&'static str>() {
            Ok(message) => return (*message).to_owned(),
            Err(panic) => panic,
        },
    };
    // A payload of another type may itself panic when it is dropped.
    let _ = catch_unwind(AssertUnwindSafe(|| drop(message)));
    String::from("a panic without a message")
}
