//! Closing a value: its hook, or its `Drop`.

use std::any::Any;
use std::fmt::Debug;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;

use futures_util::FutureExt as _;

use crate::values::report::Trouble;

/// The outcome of a close.
pub(crate) type Closed = Result<(), Trouble>;

type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// A close hook: a function or closure, sync or async, that takes the value by value and closes it.
///
/// It returns `()` or `Result<R, E>` with `E: Debug`, or a future of either. A sync hook runs inline, so work
/// that blocks belongs in an async one, in `spawn_blocking`.
pub trait CloseHook<T, Marker>: Send + Sync + 'static {
    #[doc(hidden)]
    fn into_hook(self) -> Hook<T>;
}

/// A hook whose own type is erased.
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

impl<T, F, O, When> CloseHook<T, (O, When)> for F
where
    F: FnOnce(T) -> O + Send + Sync + 'static,
    O: Closes<When>,
    When: HookKind<O>,
{
    fn into_hook(self) -> Hook<T> {
        When::hook(self)
    }
}

/// The return type of a hook, which determines its kind.
#[diagnostic::on_unimplemented(
    message = "a close hook must return `()`, a `Result`, or a future of either, but this one returns `{Self}`",
    label = "returns `{Self}`",
    note = "the error of the `Result` must be `Debug`"
)]
pub trait Closes<When> {}

impl<V: Verdict> Closes<AtOnce> for V {}

impl<F: Future<Output: Verdict>> Closes<Later> for F {}

/// Sync and async hooks. (Separate from [`Closes`], so that the compiler blames a future for not being `Send`.)
pub trait HookKind<O> {
    #[doc(hidden)]
    fn hook<T>(close: impl FnOnce(T) -> O + Send + Sync + 'static) -> Hook<T>;
}

/// The hook runs inline.
#[derive(Debug)]
pub struct AtOnce;

impl<V: Verdict> HookKind<V> for AtOnce {
    fn hook<T>(close: impl FnOnce(T) -> V + Send + Sync + 'static) -> Hook<T> {
        Hook(Kind::Sync(Box::new(move |value| close(value).closed())))
    }
}

/// The hook returns a future.
#[derive(Debug)]
pub struct Later;

impl<F: Future<Output: Verdict> + Send + 'static> HookKind<F> for Later {
    fn hook<T>(close: impl FnOnce(T) -> F + Send + Sync + 'static) -> Hook<T> {
        Hook(Kind::Async(Box::new(move |value| {
            let closing = close(value);
            Box::pin(async move { closing.await.closed() })
        })))
    }
}

/// The outcome that a hook reports.
pub trait Verdict {
    #[doc(hidden)]
    fn closed(self) -> Closed;
}

impl Verdict for () {
    fn closed(self) -> Closed {
        Ok(())
    }
}

impl<R, E: Debug> Verdict for Result<R, E> {
    fn closed(self) -> Closed {
        // The hook's own result is dropped: no caller asked for it.
        self.map(drop)
            .map_err(|error| Trouble::Failed(format!("{error:?}")))
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
    /// Returns the placeholder for no hook where `T` wraps a value without drop glue.
    pub(crate) fn nothing() -> Self {
        Self(Kind::Nothing)
    }
}

/// Whether nothing happens when such a value is closed.
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
    let mut parts = Some((value, hook));
    guarded(&mut || match parts.take() {
        Some((value, Some(Hook(Kind::Sync(close))))) => Closing::Done(close(value)),
        Some((value, Some(Hook(Kind::Async(close))))) => Closing::Pending(close(value)),
        dropped => {
            drop(dropped);
            Closing::Done(Ok(()))
        }
    })
}

/// Turns a panic into trouble, including a later one in the pending future.
fn guarded(close: &mut dyn FnMut() -> Closing) -> Closing {
    match catch_unwind(AssertUnwindSafe(close)) {
        Ok(Closing::Pending(closing)) => Closing::Pending(Box::pin(async move {
            AssertUnwindSafe(closing)
                .catch_unwind()
                .await
                .unwrap_or_else(|panic| Err(panicked(panic)))
        })),
        Ok(done) => done,
        Err(panic) => Closing::Done(Err(panicked(panic))),
    }
}

/// Runs `close`, and turns a panic into this value's trouble, so that it does not spread.
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
