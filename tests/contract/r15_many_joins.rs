//! A session that joins one group after the other while a request is inside.

use session_core::{CancellationToken, GroupId, LocalSession};
use tokio::time::Instant;

use crate::kit::manager;

#[tokio::test(start_paused = true)]
async fn r15_no_group_waits_for_a_request_that_has_gone() {
    for joins in [1, 10, 62, 63, 64, 65, 130] {
        let sessions = manager();
        let session = sessions.create_in(GroupId::from("0")).unwrap();
        let mut groups = vec![session.group()];
        let guard = session.enter().unwrap();
        for join in 1..=joins {
            session.join(GroupId::from(join.to_string())).unwrap();
            let group = session.group();
            // So that its cleanup has something to wait for.
            drop(group.spawn(CancellationToken::cancelled_owned).unwrap());
            groups.push(group);
        }
        drop(guard);
        let left = Instant::now();
        for group in &groups[..joins] {
            let report = group.cleanup_completed().await;
            assert!(report.is_clean(), "{joins} joins: {report:?}");
        }
        assert_eq!(Instant::now(), left, "{joins} joins");
    }
}
