//! The event stream of a page.

use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, HeaderName};
use axum::response::IntoResponse;
use axum::response::sse::{Event, KeepAlive};
use futures_util::stream;
use session_axum::SessionEvents;
use session_core::{CompletionCause, LocalSession as _, Session};

use super::Chat;
use super::member::Member;
use super::problem::Problem;
use super::room::Read;
use super::set::Device;

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// How often a stream without events is written to, so that a connection that is gone is noticed.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Tells the conversation from the client's last event on, and the device's draft. The last event says why the session
/// has ended.
pub(crate) async fn events(
    events: SessionEvents,
    member: Member,
    State(chat): State<Chat>,
    head: HeaderMap,
) -> Result<impl IntoResponse, Problem> {
    let last = head.get(LAST_EVENT_ID);
    let last = last.and_then(|id| id.to_str().ok()?.parse().ok());
    let reader = chat.room().read_after(last);
    let device = member.session.props::<Device>()?;
    let mut drafts = device.draft()?.subscribe();
    // So that the present one is told first.
    drafts.mark_changed();
    let told = stream::unfold((reader, drafts), async |(mut reader, mut drafts)| {
        let event = tokio::select! {
            biased;
            // The draft goes with the session.
            Ok(()) = drafts.changed() => {
                Event::default().event("draft").json_data(&*drafts.borrow_and_update())
            }
            read = reader.next() => match read {
                Read::Entry(entry) => Event::default().id(entry.id.to_string()).json_data(&*entry),
                Read::Missed(entries) => Event::default().event("missed").json_data(entries),
            },
        };
        Some((event, (reader, drafts)))
    });
    let keep_alive = KeepAlive::new().interval(KEEP_ALIVE);
    let events =
        events.last_event_with(|session| Event::default().event("over").data(why(session)));
    Ok(events.run(told).keep_alive(keep_alive))
}

/// Why the session has ended, for its user.
fn why(session: &Session) -> String {
    if let Some(reason) = session.completion_reason() {
        return reason.to_string();
    }
    match session.completion_cause() {
        Some(CompletionCause::AbsoluteTimeout) => "this session was too old".into(),
        Some(CompletionCause::Evicted) => "logged in on too many other devices".into(),
        Some(CompletionCause::Shutdown) => "the server is shutting down".into(),
        _ => "the session has ended".into(),
    }
}
