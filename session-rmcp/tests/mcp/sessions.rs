//! Sessions, with rmcp's own client over HTTP.

use futures_util::future::join_all;
use session_core::LocalSession as _;
use session_rmcp::LiveSessions;

use crate::app::App;
use crate::served::{Served, call};

#[tokio::test]
async fn two_clients_never_see_each_others_objects() {
    let app = App::new();
    let sessions = app.manager().build().unwrap();
    let served = Served::new(&app, LiveSessions::new(sessions.clone())).await;
    let (ann, bob) = (served.client(None).await, served.client(None).await);
    for turn in 1..=20 {
        let calls = join_all([call(&ann, "count"), call(&bob, "count")]).await;
        for count in calls {
            assert_eq!(count.unwrap(), turn.to_string());
        }
    }
    assert_eq!(sessions.stats().active, 2);
}

#[tokio::test]
async fn racing_calls_of_one_client_share_its_objects() {
    let app = App::new();
    let sessions = app.manager().build().unwrap();
    let served = Served::new(&app, LiveSessions::new(sessions)).await;
    let ann = served.client(None).await;
    let counts = join_all((0..50).map(|_| call(&ann, "count"))).await;
    let mut counts: Vec<u32> = counts
        .into_iter()
        .map(|count| count.unwrap().parse().unwrap())
        .collect();
    counts.sort_unstable();
    assert_eq!(counts, (1..=50).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_client_that_ends_its_session_has_its_objects_closed_in_order() {
    let app = App::new();
    let sessions = app.manager().build().unwrap();
    let served = Served::new(&app, LiveSessions::new(sessions.clone())).await;
    let ann = served.client(None).await;
    assert_eq!(call(&ann, "work").await.unwrap(), "working");
    let session = sessions.sessions().pop().unwrap();
    // rmcp's client sends DELETE.
    ann.cancel().await.unwrap();
    let report = session.cleanup_completed().await;
    assert!(report.is_clean(), "{report:?}");
    // The last one published is closed first.
    assert_eq!(app.log(), ["job stopped", "connection rolled back"]);
    assert_eq!(sessions.stats().active, 0);
}

#[tokio::test]
async fn a_client_whose_session_has_ended_starts_another_one() {
    let app = App::new();
    let sessions = app.manager().build().unwrap();
    let served = Served::new(&app, LiveSessions::new(sessions.clone())).await;
    let ann = served.client(None).await;
    assert_eq!(call(&ann, "count").await.unwrap(), "1");
    let first = sessions.sessions().pop().unwrap();
    first.terminate();
    assert!(first.cleanup_completed().await.is_clean());
    // rmcp's client takes the 404 for what it is: it initializes again, and repeats the call.
    assert_eq!(call(&ann, "count").await.unwrap(), "1");
    assert_ne!(sessions.sessions().pop().unwrap(), first);
}
