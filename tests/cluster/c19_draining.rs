//! Rule 19: a node that drains creates no sessions, and its own ones go on.

use std::time::Duration;

use session_cluster::InProcessDirectory;
use session_core::{CreateError, LocalSession as _};

use crate::kit::{LEASE, TICK, join, join_all, pass};

const FLAG_AHEAD: Duration = Duration::from_millis(200);

#[tokio::test(start_paused = true)]
async fn c19_it_refuses_new_sessions_once_the_others_had_time_to_learn_it() {
    let directory = InProcessDirectory::new();
    let node = join(&directory, 1).await;
    let session = node.sessions.create().unwrap();
    node.cluster.drain();
    pass(FLAG_AHEAD.saturating_sub(TICK)).await;
    assert!(node.sessions.create().is_ok());
    pass(2 * TICK).await;
    assert_eq!(node.sessions.create(), Err(CreateError::Draining));
    pass(LEASE).await;
    assert!(!session.is_completed() && node.sessions.enter(&session.id()).is_ok());
}

#[tokio::test(start_paused = true)]
async fn c19_the_flag_goes_out_at_once() {
    let directory = InProcessDirectory::new();
    let [draining, other] = join_all::<2>(&directory).await;
    draining.cluster.drain();
    // At most a tenth of a second after its last question.
    pass(Duration::from_millis(101)).await;
    let late = join(&directory, 3).await;
    for node in [&late, &draining] {
        let listed = node.cluster.nodes();
        let flags = listed.iter().filter(|node| node.is_draining);
        let flagged: Vec<_> = flags.map(|node| node.tag).collect();
        assert_eq!(flagged, [draining.tag()]);
    }
    drop(other);
}

#[tokio::test(start_paused = true)]
async fn c19_its_lease_goes_on() {
    let directory = InProcessDirectory::new();
    let [draining, other] = join_all::<2>(&directory).await;
    let session = draining.sessions.create().unwrap();
    draining.cluster.drain();
    pass(5 * LEASE).await;
    assert_eq!(other.others(), [draining.tag()]);
    assert_eq!(draining.cluster.confirm(&session).await, Ok(()));
}
