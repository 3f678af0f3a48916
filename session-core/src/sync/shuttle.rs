//! The parts of the shim under shuttle: see `sync.rs`.

use std::ops::Deref;
use std::sync::{Arc, LockResult, Weak};

pub(crate) use shuttle::sync::atomic::{AtomicU64, AtomicUsize};
pub(crate) use shuttle::sync::{Condvar, MutexGuard};

/// A point at which the scheduler may run another thread. It is not a `yield_now`, which some schedulers take as a
/// sign that the thread can't go on.
pub(crate) fn point() {
    if !std::thread::panicking() {
        shuttle::thread::sleep(std::time::Duration::ZERO);
    }
}

/// A mutex with a point before it is taken, too. shuttle's own has points after it is taken and after it is released.
pub(crate) struct RawMutex<T>(shuttle::sync::Mutex<T>);

impl<T> RawMutex<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(shuttle::sync::Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
        point();
        self.0.lock()
    }
}

pub(crate) struct Counted<T: ?Sized>(Option<Arc<T>>);

pub(crate) struct WeakCounted<T: ?Sized>(Weak<T>);

pub(crate) fn into_std<T: ?Sized>(mut arc: Counted<T>) -> Arc<T> {
    arc.0.take().expect("held until it is dropped")
}

pub(crate) fn from_std<T: ?Sized>(arc: Arc<T>) -> Counted<T> {
    Counted(Some(arc))
}

impl<T> Counted<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Some(Arc::new(value)))
    }

    pub(crate) fn into_inner(this: Self) -> Option<T> {
        point();
        Arc::into_inner(into_std(this))
    }

    pub(crate) fn try_unwrap(this: Self) -> Result<T, Self> {
        point();
        Arc::try_unwrap(into_std(this)).map_err(from_std)
    }
}

impl<T: ?Sized> Counted<T> {
    fn std(&self) -> &Arc<T> {
        self.0.as_ref().expect("held until it is dropped")
    }

    pub(crate) fn downgrade(this: &Self) -> WeakCounted<T> {
        WeakCounted(Arc::downgrade(this.std()))
    }

    pub(crate) fn ptr_eq(this: &Self, other: &Self) -> bool {
        Arc::ptr_eq(this.std(), other.std())
    }
}

impl<T: ?Sized> Clone for Counted<T> {
    fn clone(&self) -> Self {
        point();
        Self(Some(Arc::clone(self.std())))
    }
}

impl<T: ?Sized> Drop for Counted<T> {
    fn drop(&mut self) {
        if let Some(arc) = self.0.take() {
            point();
            drop(arc);
        }
    }
}

impl<T: ?Sized> Deref for Counted<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.std()
    }
}

impl<T: ?Sized> WeakCounted<T> {
    pub(crate) fn upgrade(&self) -> Option<Counted<T>> {
        point();
        self.0.upgrade().map(from_std)
    }
}

impl<T: ?Sized> Clone for WeakCounted<T> {
    fn clone(&self) -> Self {
        point();
        Self(self.0.clone())
    }
}
