//! Programs run on several threads at once.

use std::sync::{Arc, Barrier, Mutex};
use std::time::Duration;

use proptest::prelude::*;
use session_core::{CancellationToken, LocalSession, PropertyRef, Session, SessionManager};

use crate::probe::{Holder, Log, Probe, close, close_later};
use crate::program::{Close, SESSIONS, Step, program};
use crate::sequential::{KEYS, manager, name};

/// The state that the threads share.
struct World {
    sessions: SessionManager,
    log: Log,
    slots: [Mutex<Option<Session>>; SESSIONS],
}

impl World {
    fn slot(&self, session: usize) -> Option<Session> {
        self.slots[session].lock().unwrap().clone()
    }
}

/// Does the same with a session or a group, if there is one.
macro_rules! with {
    ($world:expr, $holder:expr, |$local:ident| $body:expr) => {
        match $holder {
            Holder::Session(session) => {
                if let Some($local) = $world.slot(session) {
                    $body
                }
            }
            Holder::Group(group) => {
                if let Some($local) = $world.sessions.group(&name(group)) {
                    $body
                }
            }
        }
    };
}

#[expect(clippy::too_many_lines, reason = "an arm for each kind of step")]
async fn run(world: &World, steps: Vec<Step>) {
    let mut handles: Vec<PropertyRef<Probe>> = Vec::new();
    let mut owned = Vec::new();
    let mut guards = Vec::new();
    let mut kept = Vec::new();
    for step in steps {
        match step {
            Step::Create(session, group) => {
                let created = match group {
                    Some(group) => world.sessions.create_in(name(group)),
                    None => world.sessions.create(),
                };
                if let Ok(created) = created {
                    let old = world.slots[session].lock().unwrap().replace(created);
                    if let Some(old) = old {
                        old.terminate();
                    }
                }
            }
            Step::Terminate(holder) => with!(world, holder, |local| local.terminate()),
            Step::Join(session, group) => {
                if let Some(session) = world.slot(session) {
                    // A session that has ended meanwhile joins nothing.
                    let _ = session.join(name(group));
                }
            }
            Step::LogIn(session, group) => {
                if let Some(session) = world.slot(session)
                    && let Ok(mut request) = session.enter()
                {
                    let stream = session
                        .enter()
                        .map(|other| other.until_completed(world.log.probe(Holder::Session(0))));
                    // Another thread may be quicker.
                    let _ = request.log_in(name(group));
                    drop(stream);
                }
            }
            Step::LogOut(session) => {
                if let Some(session) = world.slot(session) {
                    let _ = session.terminate_and_supersede();
                }
            }
            Step::CycleId(session) => {
                if let Some(session) = world.slot(session)
                    && let Ok(new) = session.cycle_id()
                    && let Some(found) = world.sessions.get(&new.id())
                {
                    assert_eq!(found, session);
                }
            }
            Step::Insert(holder, key, how) => with!(world, holder, |local| {
                let probe = world.log.probe(holder);
                // Refused, it comes back and is dropped here.
                let _ = match how {
                    Close::Drop => local.properties().insert(&KEYS[key], probe),
                    Close::Hook => local.properties().insert_with(&KEYS[key], probe, close),
                    Close::AsyncHook => {
                        local
                            .properties()
                            .insert_with(&KEYS[key], probe, close_later)
                    }
                };
            }),
            Step::Replace(holder, key, how) => with!(world, holder, |local| {
                let probe = world.log.probe(holder);
                let _ = match how {
                    Close::Drop => local.properties().replace(&KEYS[key], probe),
                    Close::Hook => local.properties().replace_with(&KEYS[key], probe, close),
                    Close::AsyncHook => {
                        local
                            .properties()
                            .replace_with(&KEYS[key], probe, close_later)
                    }
                };
            }),
            Step::Remove(holder, key) => with!(world, holder, |local| {
                if let Ok(Some(removed)) = local.properties().remove(&KEYS[key]) {
                    removed.touch();
                }
            }),
            Step::GetOrInit(holder, key) => with!(world, holder, |local| {
                if let Ok(handle) = local
                    .properties()
                    .get_or_init(&KEYS[key], || world.log.probe(holder))
                {
                    handle.touch();
                }
            }),
            Step::GetOrInitAsync(Holder::Session(session), key) => {
                if let Some(found) = world.slot(session) {
                    let log = world.log.clone();
                    let make = move || async move { log.probe(Holder::Session(session)) };
                    if let Ok(handle) = found.properties().get_or_init_async(&KEYS[key], make).await
                    {
                        handle.touch();
                    }
                }
            }
            Step::GetOrInitAsync(Holder::Group(_), _) => {}
            Step::Hold(holder, key) => with!(world, holder, |local| {
                handles.extend(local.properties().get(&KEYS[key]));
            }),
            Step::LetGo(latest) => {
                if let Some(at) = handles.len().checked_sub(latest + 1) {
                    handles.remove(at).touch();
                }
            }
            Step::Own(holder) => with!(world, holder, |local| {
                owned.extend(local.take_ownership(world.log.probe(holder)));
            }),
            Step::Dispose(latest) => {
                if let Some(at) = owned.len().checked_sub(latest + 1) {
                    owned[at].dispose();
                }
            }
            Step::Reclaim(latest) => {
                if let Some(at) = owned.len().checked_sub(latest + 1)
                    && let Some(probe) = owned[at].reclaim()
                {
                    probe.touch();
                }
            }
            Step::Spawn(holder) => with!(world, holder, |local| {
                let _ = local.spawn(CancellationToken::cancelled_owned);
            }),
            Step::Enter(session) => {
                guards.extend(world.slot(session).and_then(|session| session.enter().ok()));
            }
            Step::KeepAlive(session) => kept.extend(
                world
                    .slot(session)
                    .and_then(|session| session.keep_alive().ok()),
            ),
            Step::Leave(latest) => {
                if let Some(at) = guards.len().checked_sub(latest + 1) {
                    drop(guards.remove(at));
                }
            }
        }
    }
    for handle in handles {
        handle.touch();
    }
}

fn race(programs: Vec<Vec<Step>>) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime can be built");
    let world = {
        let _entered = runtime.enter();
        Arc::new(World {
            sessions: manager(),
            log: Log::default(),
            slots: Default::default(),
        })
    };
    let start = Arc::new(Barrier::new(programs.len()));
    let threads: Vec<_> = programs
        .into_iter()
        .map(|steps| {
            let (world, start, runtime) = (world.clone(), start.clone(), runtime.handle().clone());
            std::thread::spawn(move || {
                start.wait();
                runtime.block_on(run(&world, steps));
            })
        })
        .collect();
    for thread in threads {
        thread.join().expect("no step panics");
    }
    runtime.block_on(async {
        let report = world.sessions.shutdown(Duration::from_secs(60)).await;
        assert!(report.is_clean(), "{report:?}");
    });
    let stats = world.sessions.stats();
    assert_eq!((stats.active, stats.in_cleanup, stats.groups), (0, 0, 0));
    assert!(world.sessions.sessions().is_empty());
    assert!(world.sessions.groups().is_empty());
    // The hooks of values that were removed by hand may still be running. They end with the runtime.
    drop(runtime);
    assert_eq!(world.log.made(), world.log.dropped(), "made and dropped");
}

proptest! {
    #![proptest_config(crate::config(200))]

    #[test]
    fn on_several_threads_nothing_is_lost(programs in prop::collection::vec(program(120), 2..5)) {
        race(programs);
    }
}
