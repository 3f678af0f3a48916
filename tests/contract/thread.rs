//! Threads that block, and their way to wait.

use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

/// A thread, as others see it.
pub(crate) struct Watched(Option<PathBuf>);

/// The thread that this is called on.
pub(crate) fn watch_me() -> Watched {
    let name = std::fs::read_link("/proc/thread-self");
    Watched(name.ok().map(|name| PathBuf::from("/proc").join(name)))
}

impl Watched {
    /// Returns once that thread sleeps. Without `/proc` it returns at once: the test then still holds, but tests
    /// less.
    pub(crate) fn until_asleep(&self) {
        let Some(thread) = &self.0 else { return };
        loop {
            let stat = std::fs::read_to_string(thread.join("stat")).unwrap();
            let (_name, rest) = stat.rsplit_once(") ").unwrap();
            if rest.starts_with('S') {
                return;
            }
            std::thread::yield_now();
        }
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Waits for a future on a thread that has no runtime.
pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => std::thread::park(),
        }
    }
}
