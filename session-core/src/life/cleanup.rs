//! The steps of a cleanup, in their order: owned values, drain, properties.

use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::coop::consume_budget;

use crate::life::owner::{Local, Owner};
use crate::life::state::{Task, Used};
use crate::sync::runtime::sleep;
use crate::values::about::About;
use crate::values::close::caught;
use crate::values::report::Trouble;
use crate::values::value::Held;

/// The time that aborted tasks have to drop what they hold.
const ABORT_GRACE: Duration = Duration::from_secs(1);

/// The same when a shutdown is in a hurry: the time it leaves is enough for a session's grace and then for its group's.
const HURRIED_GRACE: Duration = Duration::from_millis(250);

/// Runs the cleanup, up to its end.
pub(crate) async fn run(owner: &Owner, drained: &Notify) {
    let local = owner.local();
    let hurry = local.env.hurry.clone();
    let ledger = local.ledger();

    empty_slots(local);
    while drop_last_owned(local) {
        consume_budget().await;
    }

    // Requests, tasks and initializers.
    let in_time = tokio::select! {
        biased;
        () = until(|| local.is_drained(), drained) => true,
        () = sleep(local.env.settings.drain_timeout) => false,
        () = hurry.cancelled() => false,
    };
    if !in_time {
        abort_tasks(local);
        // Requests can't be aborted, so waiting for them gains nothing.
        let tasks_ended = || local.lock().used().is_none_or(Used::is_drained);
        let hurried = async {
            hurry.cancelled().await;
            sleep(HURRIED_GRACE).await;
        };
        tokio::select! {
            biased;
            () = until(tasks_ended, drained) => {}
            () = sleep(ABORT_GRACE) => {}
            () = hurried => {}
        }
        note_left_over(local);
    }

    // Properties, the last one published first.
    let (sets, slots) = local.take_sets();
    drop(sets);
    for slot in slots {
        drop(slot);
        consume_budget().await;
    }
    while let Some(held) = pop(local) {
        if let Some((entry, closing)) = held.let_go() {
            entry.run(closing, hurry.cancelled()).await;
        }
        // Otherwise many small values would keep the thread from all other work.
        consume_budget().await;
    }

    // Properties that are still held elsewhere, and hooks of removed ones.
    tokio::select! {
        biased;
        () = ledger.settled() => {}
        () = sleep(local.env.settings.close_timeout) => {}
        () = hurry.cancelled() => {}
    }
}

/// Ends event streams and similar values, which would keep their requests inside.
fn empty_slots(local: &Local) {
    let slots = std::mem::take(&mut local.lock().used_mut().rare_mut().slots);
    for slot in slots.into_values().rev() {
        if let Err((about, trouble)) = slot.empty().dispose() {
            local.note(about, trouble);
        }
    }
}

/// Drops the value that `take_ownership` took last, if one is left.
fn drop_last_owned(local: &Local) -> bool {
    let last = local.lock().used_mut().rare_mut().owned.pop_last();
    let Some((_, owning)) = last else {
        return false;
    };
    let about = owning.about();
    if let Err(trouble) = caught(|| {
        drop(owning);
        Ok(())
    }) {
        local.note(about, trouble);
    }
    local.ledger().count(1);
    true
}

fn abort_tasks(local: &Local) {
    let aborted: Vec<_> = {
        let mut state = local.lock();
        state
            .used_mut()
            .rare_mut()
            .tasks
            .values_mut()
            .map(Task::abort)
            .collect()
    };
    for (about, handle) in aborted {
        local.note(about, Trouble::Aborted);
        if let Some(handle) = handle {
            handle.abort();
        }
    }
}

fn note_left_over(local: &Local) {
    for _ in 0..local.activity.inside() {
        local.note(About::kind("request", ""), Trouble::StillHeld);
    }
    let (left_over, creations) = {
        let mut state = local.lock();
        let used = state.used_mut();
        let rare = used.rare_mut();
        let tasks = rare.tasks.values().map(|task| task.about.clone());
        let disposals = rare.disposals.values().flatten().cloned();
        let left_over: Vec<About> = tasks.chain(disposals).collect();
        (left_over, used.creations())
    };
    // An async initializer is one of the tasks.
    let creations = creations
        .iter()
        .filter(|creation| creation.is_sync())
        .map(|creation| creation.about.clone());
    for about in left_over.into_iter().chain(creations) {
        local.note(about, Trouble::StillHeld);
    }
}

fn pop(local: &Local) -> Option<Held> {
    local.lock().used_mut().pop()
}

/// Runs the steps that need no runtime. It waits for nothing, and drops values with an async hook without running it.
pub(crate) fn at_once(owner: &Owner) {
    let local = owner.local();
    empty_slots(local);
    while drop_last_owned(local) {}
    drop(local.take_sets());
    while let Some(held) = pop(local) {
        if let Some((entry, closing)) = held.let_go() {
            entry.detach(closing);
        }
    }
}

/// Waits until the condition `is` holds. Whatever may change it must notify.
async fn until(is: impl Fn() -> bool, notified: &Notify) {
    while !is() {
        notified.notified().await;
    }
}
