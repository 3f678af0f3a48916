//! Tasks of a session, which the application spawns or which run an initializer.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use crate::error::SessionEnded;
use crate::life::owner::{Owner, OwnerRef};
use crate::life::state::Task;
use crate::sync::runtime::JoinHandle;
use crate::values::about::About;
use crate::values::close::panic_message;
use crate::values::report::Trouble;

/// Spawns the future that `task` returns on the manager's runtime, counted by the session.
pub(crate) fn spawn<F, Fut>(
    owner: OwnerRef<'_>,
    task: F,
) -> Result<JoinHandle<Fut::Output>, SessionEnded>
where
    F: FnOnce(CancellationToken) -> Fut,
    Fut: Future<Output: Send> + Send + 'static,
{
    let about = About::kind("task", std::any::type_name::<Fut>());
    let registration = Registration::new(owner, about).ok_or(SessionEnded)?;
    let future = task(owner.local().token());
    Ok(registration.spawn(future))
}

/// Spawns an initializer, traced under its caller's span.
///
/// On a completed session, or without a runtime, the future is dropped: its creation then ends without a value.
pub(crate) fn spawn_initializer(
    owner: OwnerRef<'_>,
    about: About,
    task: impl Future<Output = ()> + Send + 'static,
) {
    // Boxed, so that tokio's and tracing's generic code is compiled once, and not for each property.
    let task: Pin<Box<dyn Future<Output = ()> + Send>> = Box::pin(task);
    if let Some(registration) = Registration::new(owner, about) {
        registration.spawn(task.in_current_span());
    }
}

/// A task's place among those of its session, until its future is dropped.
struct Registration {
    owner: Owner,
    number: u64,
}

impl Registration {
    fn new(owner: OwnerRef<'_>, about: About) -> Option<Self> {
        let mut state = owner.local().lock();
        if state.is_completed() {
            return None;
        }
        let used = state.used_mut();
        let number = used.number();
        used.rare_mut().tasks.insert(
            number,
            Task {
                about,
                handle: None,
                aborted: false,
            },
        );
        drop(state);
        Some(Self {
            owner: owner.to_owner(),
            number,
        })
    }

    fn spawn<Fut: Future<Output: Send> + Send + 'static>(
        self,
        future: Fut,
    ) -> JoinHandle<Fut::Output> {
        let (owner, number) = (self.owner.clone(), self.number);
        let runtime = owner.local().env.runtime.clone();
        let handle = runtime.spawn(Tracked {
            future,
            registration: self,
        });
        // The task may have ended by now, or cleanup may have marked it as aborted before the handle was known.
        let abort = {
            let mut state = owner.local().lock();
            let task = state
                .used_if_any()
                .and_then(|used| used.rare_if_any()?.tasks.get_mut(&number));
            task.is_some_and(|task| {
                task.handle = Some(handle.abort_handle());
                task.aborted
            })
        };
        if abort {
            handle.abort();
        }
        handle
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        let local = self.owner.local();
        let ended = local
            .lock()
            .used_if_any()
            .and_then(|used| used.rare_if_any()?.tasks.remove(&self.number));
        drop(ended);
        local.check_drained();
    }
}

pin_project! {
    /// A task's future. The fields drop in order, so that the task's values are gone before cleanup learns of its end.
    struct Tracked<F> {
        #[pin]
        future: F,
        registration: Registration,
    }
}

impl<F: Future> Future for Tracked<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        match catch_unwind(AssertUnwindSafe(|| this.future.poll(cx))) {
            Ok(poll) => poll,
            Err(panic) => {
                // The join handle has the panic; cleanup's report has its message.
                let Registration { owner, number } = this.registration;
                let local = owner.local();
                if local.is_completed() {
                    let about = local.lock().used_if_any().and_then(|used| {
                        Some(used.rare_if_any()?.tasks.get(number)?.about.clone())
                    });
                    let message = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
                    let message = message.or_else(|| panic.downcast_ref::<String>().cloned());
                    let message = message.unwrap_or_else(|| panic_message(Box::new(())));
                    if let Some(about) = about {
                        local.note(about, Trouble::Panicked(message));
                    }
                }
                resume_unwind(panic)
            }
        }
    }
}
