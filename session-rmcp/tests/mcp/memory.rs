//! Sessions that come and go leave memory where it was.

use std::time::Duration;

use allocation_counter::measure;
use session_core::LocalSession as _;
use session_rmcp::LiveSessions;

use crate::app::App;
use crate::raw::Raw;
use crate::served::service;

/// A thread of its own, on which everything happens, so that its count is that of the sessions.
#[test]
fn ten_thousand_sessions_come_and_go_with_memory_flat() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    let app = App::new();
    let sessions = runtime.block_on(async {
        app.manager()
            .idle_timeout(Duration::from_secs(1))
            .build()
            .unwrap()
    });
    let service = service(&app, LiveSessions::new(sessions.clone()));
    let come_and_go = |number: usize| {
        runtime.block_on(async {
            for turn in 0..number {
                let mut raw = Raw::new(&service);
                raw.start().await;
                // Some do more than to come and go.
                let listening = if turn % 10 < 2 {
                    assert_eq!(raw.text("count").await, "1");
                    Some(raw.listen().await)
                } else {
                    None
                };
                let session = sessions.sessions().pop().unwrap();
                // Clients end their sessions, or are just gone.
                if turn % 2 == 0 {
                    raw.delete().await;
                } else {
                    drop(listening);
                }
                assert!(session.cleanup_completed().await.is_clean());
            }
        });
    };
    come_and_go(500);
    let left = measure(|| come_and_go(10_000)).bytes_current;
    assert!(left < 16 * 1024, "{left} bytes are left of 10,000 sessions");
    assert_eq!(sessions.stats().created, 10_500);
}
