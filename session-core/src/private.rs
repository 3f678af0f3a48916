//! The items that generated code uses. Not part of the public interface.

pub use crate::error::BoxError;
pub use crate::properties::exclusive::{
    any_exclusive, exclusive, lend, lend_async, lend_present, set_exclusive,
};
pub use crate::properties::initializer::{
    AsyncClosure, Closure, Given, InitError, InitFuture, Initializer, IsResult, IsValue, Made,
    call, call_async,
};
pub use crate::properties::property::{any_property, get, init, init_async, property, set};
pub use crate::properties::set::{Home, Lendable, Seed, Shareable, SharedState};
pub use crate::store::any_set::AnyCell;
pub use crate::values::close::{CloseHook, Hook};
pub use crate::values::description::{CellDescription, SetDescription};

/// Returns no close hook.
#[must_use]
pub fn no_hook<T>() -> Option<Hook<T>> {
    None
}

/// Returns this path as a close hook.
pub fn hook<T, M>(close: impl CloseHook<T, M>) -> Option<Hook<T>> {
    Some(close.into_hook())
}

/// Returns this closure as a close hook. The type of its parameter is inferred here.
pub fn hook_closure<T, R, M>(close: impl FnOnce(T) -> R + CloseHook<T, M>) -> Option<Hook<T>> {
    Some(close.into_hook())
}
