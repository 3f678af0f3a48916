//! Rule 13: a process that claims an address displaces whichever had it.

use session_cluster::InProcessDirectory;
use session_core::{CompletionCause, LocalSession as _};

use crate::kit::{TURN, join, join_all, pass, tags};

#[tokio::test(start_paused = true)]
async fn c13_a_restarted_process_takes_over_its_address_at_once() {
    let directory = InProcessDirectory::new();
    let [killed, other] = join_all::<2>(&directory).await;
    let former = killed.tag();
    // As a process that was killed, it says nothing any more.
    killed.link.cut();
    let restarted = join(&directory, 1).await;
    assert_ne!(restarted.tag(), former);
    pass(TURN).await;
    assert_eq!(other.others(), tags([&restarted]));
}

#[tokio::test(start_paused = true)]
async fn c13_the_node_that_had_the_address_ends_its_sessions() {
    let directory = InProcessDirectory::new();
    let former = join(&directory, 1).await;
    let session = former.sessions.create().unwrap();
    let _next = join(&directory, 1).await;
    pass(TURN).await;
    assert_eq!(
        session.completion_cause(),
        Some(CompletionCause::OwnershipLost)
    );
}
