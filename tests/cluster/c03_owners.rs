//! Rule 3: a session lives on the node that made it, and on no other.

use session_cluster::{Directory as _, InProcessDirectory};
use session_core::LocalSession as _;

use crate::kit::{TURN, join_all, pass};

#[tokio::test(start_paused = true)]
async fn c03_an_id_is_live_on_one_node_and_on_none_once_that_was_given_up() {
    let directory = InProcessDirectory::new();
    let nodes = join_all::<3>(&directory).await;
    let sessions: Vec<_> = nodes
        .iter()
        .map(|node| node.sessions.create().unwrap())
        .collect();
    let owners = |id| {
        let has = nodes.iter().filter(|node| node.sessions.get(&id).is_some());
        has.map(super::kit::Node::tag).collect::<Vec<_>>()
    };
    for (node, session) in nodes.iter().zip(&sessions) {
        assert_eq!(owners(session.id()), [node.tag()]);
    }
    let id = sessions[0].id();
    directory.bury(nodes[0].tag(), None).await.unwrap();
    pass(TURN).await;
    assert!(sessions[0].is_completed() && owners(id).is_empty());
    assert!(!sessions[1].is_completed() && !sessions[2].is_completed());
}
