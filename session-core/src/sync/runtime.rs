//! The parts of tokio that the core runs on: its tasks, its timers and its clock.
//!
//! Under `cfg(session_shuttle)` tasks are shuttle's, so that every step of a cleanup is a step of the model, and
//! time passes only when the model advances it.

#[cfg(not(session_shuttle))]
mod imp {
    use std::cell::Cell;
    use std::time::Duration;

    use tokio::runtime::Id;
    use tokio::task::Id as TaskId;
    use tokio_util::task::AbortOnDropHandle;

    pub(crate) use tokio::runtime::Handle as Runtime;
    pub(crate) use tokio::task::{AbortHandle, JoinHandle};
    pub(crate) use tokio::time::{Instant, sleep, sleep_until};

    std::thread_local! {
        /// The task that was last looked up on this thread, and its runtime.
        static LAST: Cell<Option<(TaskId, Option<Id>)>> = const { Cell::new(None) };
    }

    /// Reads tokio's clock of `runtime`, from any thread. If that clock is paused, a thread outside would read another.
    #[inline]
    pub(crate) fn now(runtime: &Runtime) -> Instant {
        let Some(task) = tokio::task::try_id() else {
            return now_outside(runtime);
        };
        // A task stays in its runtime, and the task id is cheaper to read than `current`: no reference is counted.
        let known = LAST.try_with(Cell::get).ok().flatten();
        let home = match known {
            Some((known, home)) if known == task => home,
            _ => look_up(task),
        };
        if home == Some(runtime.id()) {
            Instant::now()
        } else {
            now_outside(runtime)
        }
    }

    #[cold]
    fn look_up(task: TaskId) -> Option<Id> {
        let home = current().ok();
        let _gone = LAST.try_with(|last| last.set(Some((task, home))));
        home
    }

    #[cold]
    fn now_outside(runtime: &Runtime) -> Instant {
        match current() {
            Ok(current) if current == runtime.id() => Instant::now(),
            // The thread is ending, and can no longer enter the runtime.
            Err(error) if error.is_thread_local_destroyed() => {
                #[expect(clippy::disallowed_methods, reason = "tokio's can no longer be read")]
                let now = std::time::Instant::now();
                Instant::from_std(now)
            }
            _ => {
                let _entered = runtime.enter();
                Instant::now()
            }
        }
    }

    fn current() -> Result<Id, tokio::runtime::TryCurrentError> {
        Ok(Runtime::try_current()?.id())
    }

    /// Sleeps by the clock of `runtime`, on any executor. Returns at once if the runtime is gone.
    pub(crate) async fn sleep_on(runtime: &Runtime, time: Duration) {
        let sleeping = runtime.spawn(async move { sleep(time).await });
        let _gone = AbortOnDropHandle::new(sleeping).await;
    }

    /// Calls `f` on the blocking pool of `runtime`; `None` if the runtime is gone before that.
    pub(crate) async fn run_blocking<R: Send + 'static>(
        runtime: &Runtime,
        f: impl FnOnce() -> R + Send + 'static,
    ) -> Option<R> {
        runtime.spawn_blocking(f).await.ok()
    }
}

#[cfg(session_shuttle)]
#[path = "runtime_shuttle.rs"]
mod imp;

#[cfg(all(test, session_shuttle))]
pub(crate) use imp::advance;
pub(crate) use imp::{
    AbortHandle, Instant, JoinHandle, Runtime, now, run_blocking, sleep, sleep_on, sleep_until,
};
