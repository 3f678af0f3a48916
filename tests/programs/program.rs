//! The parts of a program.

use proptest::prelude::*;

use crate::probe::Holder;

pub(crate) const SESSIONS: usize = 4;
pub(crate) const GROUPS: usize = 2;
pub(crate) const KEYS: usize = 3;

/// The way a value is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Close {
    Drop,
    Hook,
    AsyncHook,
}

/// One step. Sessions, groups and keys are numbers; handles, guards and owned values are counted from the latest.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    /// A new session under this number, if the old one has ended.
    Create(usize, Option<usize>),
    Terminate(Holder),
    Join(usize, usize),
    LogIn(usize, usize),
    LogOut(usize),
    CycleId(usize),
    Insert(Holder, usize, Close),
    Replace(Holder, usize, Close),
    Remove(Holder, usize),
    GetOrInit(Holder, usize),
    GetOrInitAsync(Holder, usize),
    /// Keeps a handle.
    Hold(Holder, usize),
    /// Drops a kept handle.
    LetGo(usize),
    Own(Holder),
    Dispose(usize),
    Reclaim(usize),
    /// A task that runs until the token is cancelled.
    Spawn(Holder),
    Enter(usize),
    KeepAlive(usize),
    /// Drops a guard.
    Leave(usize),
}

fn holder() -> impl Strategy<Value = Holder> {
    prop_oneof![
        3 => (0..SESSIONS).prop_map(Holder::Session),
        1 => (0..GROUPS).prop_map(Holder::Group),
    ]
}

fn close() -> impl Strategy<Value = Close> {
    prop_oneof![Just(Close::Drop), Just(Close::Hook), Just(Close::AsyncHook)]
}

fn step() -> impl Strategy<Value = Step> {
    let latest = 0..4_usize;
    prop_oneof![
        6 => (0..SESSIONS, prop::option::of(0..GROUPS)).prop_map(|(s, g)| Step::Create(s, g)),
        1 => holder().prop_map(Step::Terminate),
        2 => (0..SESSIONS, 0..GROUPS).prop_map(|(s, g)| Step::Join(s, g)),
        2 => (0..SESSIONS, 0..GROUPS).prop_map(|(s, g)| Step::LogIn(s, g)),
        1 => (0..SESSIONS).prop_map(Step::LogOut),
        1 => (0..SESSIONS).prop_map(Step::CycleId),
        6 => (holder(), 0..KEYS, close()).prop_map(|(h, k, c)| Step::Insert(h, k, c)),
        3 => (holder(), 0..KEYS, close()).prop_map(|(h, k, c)| Step::Replace(h, k, c)),
        3 => (holder(), 0..KEYS).prop_map(|(h, k)| Step::Remove(h, k)),
        4 => (holder(), 0..KEYS).prop_map(|(h, k)| Step::GetOrInit(h, k)),
        4 => (holder(), 0..KEYS).prop_map(|(h, k)| Step::GetOrInitAsync(h, k)),
        3 => (holder(), 0..KEYS).prop_map(|(h, k)| Step::Hold(h, k)),
        3 => latest.clone().prop_map(Step::LetGo),
        4 => holder().prop_map(Step::Own),
        2 => latest.clone().prop_map(Step::Dispose),
        2 => latest.clone().prop_map(Step::Reclaim),
        2 => holder().prop_map(Step::Spawn),
        2 => (0..SESSIONS).prop_map(Step::Enter),
        1 => (0..SESSIONS).prop_map(Step::KeepAlive),
        3 => latest.prop_map(Step::Leave),
    ]
}

pub(crate) fn program(steps: usize) -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec(step(), 1..steps)
}
