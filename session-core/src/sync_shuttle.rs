//! The shim's parts under shuttle: see `sync.rs`.

use std::ops::Deref;
use std::sync::{Arc as StdArc, Weak as StdWeak};

pub(crate) use shuttle::sync::atomic::{AtomicU64, AtomicUsize};
pub(crate) use shuttle::sync::{Condvar, Mutex as RawMutex, MutexGuard};

/// A place where the scheduler may run somebody else.
fn point() {
    if !std::thread::panicking() {
        shuttle::thread::yield_now();
    }
}

pub(crate) struct Arc<T: ?Sized>(Option<StdArc<T>>);

pub(crate) struct Weak<T: ?Sized>(StdWeak<T>);

pub(crate) fn into_std<T: ?Sized>(mut arc: Arc<T>) -> StdArc<T> {
    arc.0.take().expect("held until it is dropped")
}

pub(crate) fn from_std<T: ?Sized>(arc: StdArc<T>) -> Arc<T> {
    Arc(Some(arc))
}

impl<T> Arc<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Some(StdArc::new(value)))
    }

    pub(crate) fn into_inner(this: Self) -> Option<T> {
        point();
        StdArc::into_inner(into_std(this))
    }

    pub(crate) fn try_unwrap(this: Self) -> Result<T, Self> {
        point();
        StdArc::try_unwrap(into_std(this)).map_err(from_std)
    }
}

impl<T: ?Sized> Arc<T> {
    fn std(&self) -> &StdArc<T> {
        self.0.as_ref().expect("held until it is dropped")
    }

    pub(crate) fn downgrade(this: &Self) -> Weak<T> {
        Weak(StdArc::downgrade(this.std()))
    }

    pub(crate) fn ptr_eq(this: &Self, other: &Self) -> bool {
        StdArc::ptr_eq(this.std(), other.std())
    }
}

impl<T: ?Sized> Clone for Arc<T> {
    fn clone(&self) -> Self {
        point();
        Self(Some(StdArc::clone(self.std())))
    }
}

impl<T: ?Sized> Drop for Arc<T> {
    fn drop(&mut self) {
        if let Some(arc) = self.0.take() {
            point();
            drop(arc);
        }
    }
}

impl<T: ?Sized> Deref for Arc<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.std()
    }
}

impl<T: ?Sized> Weak<T> {
    pub(crate) fn upgrade(&self) -> Option<Arc<T>> {
        point();
        self.0.upgrade().map(from_std)
    }
}

impl<T: ?Sized> Clone for Weak<T> {
    fn clone(&self) -> Self {
        point();
        Self(self.0.clone())
    }
}
