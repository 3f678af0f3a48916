//! The locks, atomics and counted pointers on which races are modeled.
//!
//! Everything that can race goes through this file. In a normal build it is a thin layer over `std`; under
//! `cfg(session_shuttle)` each step is a scheduling point. shuttle's own `Arc` has no scheduling points, so the
//! counted pointer here puts one before every clone, drop, upgrade and `into_inner`.

#[cfg(not(session_shuttle))]
mod imp {
    pub(crate) use std::sync::atomic::{AtomicU64, AtomicUsize};
    pub(crate) use std::sync::{Arc as Counted, Weak as WeakCounted};
    pub(crate) use std::sync::{Condvar, Mutex as RawMutex, MutexGuard};

    /// Converts to the pointer of `std`, which can be downcast and is a method receiver.
    pub(crate) fn into_std<T: ?Sized>(arc: Counted<T>) -> std::sync::Arc<T> {
        arc
    }

    /// The reverse of [`into_std`].
    pub(crate) fn from_std<T: ?Sized>(arc: std::sync::Arc<T>) -> Counted<T> {
        arc
    }
}

#[cfg(session_shuttle)]
#[path = "sync/shuttle.rs"]
mod imp;

pub(crate) mod registry;
pub(crate) mod runtime;

pub(crate) use imp::{
    AtomicU64, AtomicUsize, Condvar, Counted, MutexGuard, WeakCounted, from_std, into_std,
};
pub(crate) use std::sync::atomic::Ordering;

#[cfg(not(session_shuttle))]
pub(crate) use std::thread_local;
#[cfg(session_shuttle)]
pub(crate) use {imp::point, shuttle::thread_local};

/// A mutex that panics do not poison. No user code runs under our locks, so the guarded data is always consistent.
pub(crate) struct Mutex<T>(imp::RawMutex<T>);

impl<T> Mutex<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(imp::RawMutex::new(value))
    }

    #[inline]
    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        match self.0.lock() {
            Ok(guard) => guard,
            Err(poisoned) => poisoned.into_inner(),
        }
    }
}

/// Waits on `condvar` until `done` returns `Some`.
pub(crate) fn wait_for<T, R>(
    condvar: &Condvar,
    mut guard: MutexGuard<'_, T>,
    mut done: impl FnMut(&mut T) -> Option<R>,
) -> R {
    loop {
        if let Some(result) = done(&mut guard) {
            return result;
        }
        guard = match condvar.wait(guard) {
            Ok(guard) => guard,
            Err(poisoned) => poisoned.into_inner(),
        };
    }
}
