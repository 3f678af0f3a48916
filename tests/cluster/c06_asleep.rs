//! Rule 6: a node that was asleep does not act before the next answer, even inside its lease.

use std::time::Duration;

use session_cluster::InProcessDirectory;
use session_core::{GroupId, LocalSession as _};
use tokio::time::advance;

use crate::kit::{AtTheEnd, PERIOD, TURN, join, join_all, pass, pass_until};

#[tokio::test(start_paused = true)]
async fn c06_a_node_that_slept_for_two_periods_waits_for_an_answer() {
    let directory = InProcessDirectory::new();
    let node = join(&directory, 1).await;
    pass(PERIOD / 2).await;
    directory.pause();
    // The clock jumps: nothing has run meanwhile.
    advance(2 * PERIOD).await;
    assert!(node.rest_of_lease() > PERIOD);
    assert!(!node.cluster.is_ready());
    // A question that fails does not tell what was missed.
    pass(PERIOD / 2).await;
    assert!(!node.cluster.is_ready());
    directory.start();
    pass(TURN).await;
    assert!(node.cluster.is_ready());
}

#[tokio::test(start_paused = true)]
async fn c06_a_node_that_is_awake_does_not() {
    let directory = InProcessDirectory::new();
    let node = join(&directory, 1).await;
    directory.pause();
    for _ in 0..2 * PERIOD.as_millis() {
        pass(Duration::from_millis(1)).await;
        assert!(node.cluster.is_ready());
    }
}

#[tokio::test(start_paused = true)]
async fn c06_a_session_that_was_ended_meanwhile_is_gone_before_the_node_acts_again() {
    let group = GroupId::from("user:42");
    let directory = InProcessDirectory::new();
    let [sleeper, other] = join_all::<2>(&directory).await;
    let session = sleeper.create_in(&group);
    sleeper.link.cut();
    let ended = other.cluster.end_group(&group, Duration::ZERO).await;
    assert_eq!(ended.unwrap().unconfirmed(), [sleeper.tag()]);
    assert!(!session.is_completed());
    advance(2 * PERIOD).await;
    assert!(!sleeper.cluster.is_ready() && !session.is_completed());

    let at_the_end = AtTheEnd::of(&session, &sleeper);
    sleeper.link.heal();
    pass_until(TURN, || sleeper.cluster.is_ready()).await;
    assert_eq!(at_the_end.was_ready(), Some(false));
}
