//! Expiry without scans: the sweeper looks only at the sessions whose time has come.

use std::sync::Weak;

use crate::id::SessionId;
use crate::life::cause::CompletionCause;
use crate::life::clock::Ticks;
use crate::sessions::deadlines::{BATCH, Cursor};
use crate::sessions::session::{Session, Sessions};
use crate::sync::runtime::{Instant, sleep_until};

/// Ends sessions as they become due, and compacts the deadlines, as long as the manager lives.
pub(crate) async fn sweep(weak: Weak<Sessions>) {
    let Some(deadlines) = weak.upgrade().map(|sessions| sessions.deadlines.clone()) else {
        return;
    };
    let mut looks = 0;
    let mut compacting = None;
    loop {
        let Some(sessions) = weak.upgrade() else {
            return;
        };
        if compacting.is_none() && deadlines.is_mostly_dead(sessions.active()) {
            compacting = Some(Cursor::default());
        }
        let past = sessions.env.clock.past();
        let next = deadlines.first();
        match (next, compacting) {
            (Some((bucket, comes_up)), _) if comes_up <= past => {
                if let Some(id) = deadlines.take_one(bucket) {
                    match sessions.ids.get(&id) {
                        Some(session) => sweep_one(&sessions, id, &session, past),
                        None => deadlines.forget(&id),
                    }
                }
                looks += 1;
            }
            (_, Some(cursor)) => {
                compacting = deadlines.compact(cursor, |id| sessions.ids.is_live(id));
                looks += BATCH;
            }
            _ => {
                let comes_up = next.map(|(_, comes_up)| sessions.env.clock.when(comes_up));
                drop(sessions);
                wait(&deadlines.woken, comes_up).await;
                continue;
            }
        }
        if looks >= BATCH {
            looks = 0;
            drop(sessions);
            tokio::task::yield_now().await;
        }
    }
}

/// Ends the groups that have lingered long enough, as long as the manager lives.
pub(crate) async fn sweep_groups(weak: Weak<Sessions>) {
    let groups = weak
        .upgrade()
        .map(|sessions| sessions.groups.lingering.clone());
    let Some(lingering) = groups else { return };
    loop {
        let Some(sessions) = weak.upgrade() else {
            return;
        };
        let past = sessions.env.clock.past();
        let ended = (0..BATCH).all(|_| sessions.groups.end_lingering(|until| until <= past));
        let next = lingering.next();
        let next = next.map(|next| sessions.env.clock.when(next));
        drop(sessions);
        if ended {
            tokio::task::yield_now().await;
        } else {
            wait(&lingering.begun, next).await;
        }
    }
}

async fn wait(woken: &tokio::sync::Notify, comes_up: Option<Instant>) {
    match comes_up {
        Some(comes_up) => tokio::select! {
            () = sleep_until(comes_up) => {}
            () = woken.notified() => {}
        },
        None => woken.notified().await,
    }
}

/// Ends the session if it is due; otherwise adds it to the deadlines again.
fn sweep_one(sessions: &Sessions, id: SessionId, session: &Session, past: Ticks) {
    let deadlines = &sessions.deadlines;
    if session.created().plus(deadlines.absolute) <= past {
        session.complete(CompletionCause::AbsoluteTimeout);
        return;
    }
    if let Some(due) = session.end_if_due(past) {
        deadlines.add(id, due);
    }
}
