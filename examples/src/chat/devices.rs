//! The devices of a user: the sessions of a group, listed to their owner, and their ends.

use axum::extract::Path;
use axum::http::StatusCode;
use serde::Serialize;
use session_core::{LocalSession as _, PropertyState, Session};

use super::member::Member;
use super::problem::Problem;
use super::set::Device;
use crate::local::Reply;

/// A session as its owner sees it. Times are in seconds.
#[derive(Serialize)]
pub(crate) struct View {
    device: u32,
    /// Whether this request comes from it.
    this: bool,
    age: u64,
    /// Since its last activity; absent during activity.
    idle: Option<u64>,
    /// The requests inside: open event streams, and this very request.
    requests: usize,
    /// When it ends, if nothing more happens.
    ends_in: u64,
    holds: Vec<Holding>,
}

/// A live object of a session.
#[derive(Serialize)]
struct Holding {
    name: String,
    age: u64,
}

/// Returns the user's sessions, the oldest first.
pub(crate) async fn list(member: Member) -> Reply<Vec<View>> {
    let mut views: Vec<_> = active(&member)
        .iter()
        .filter_map(|session| view(session, *session == *member.session))
        .collect();
    views.sort_by_key(|view| view.device);
    Reply(views)
}

fn view(session: &Session, this: bool) -> Option<View> {
    let device = number(session)?;
    let activity = session.activity();
    let properties = session.properties().list();
    let present = properties
        .iter()
        .filter(|property| property.state() == PropertyState::Present);
    Some(View {
        device,
        this,
        age: session.age().as_secs(),
        idle: activity.idle.map(|idle| idle.as_secs()),
        requests: activity.requests,
        ends_in: session.expires_in().as_secs(),
        holds: present
            .map(|property| Holding {
                name: property.name().to_owned(),
                age: property.age().unwrap_or_default().as_secs(),
            })
            .collect(),
    })
}

/// The user's sessions. One that has ended is in the group until it has been cleaned up.
fn active(member: &Member) -> Vec<Session> {
    let mut sessions = member.group.sessions();
    sessions.retain(|session| !session.is_completed());
    sessions
}

/// The device's number; `None` if its session ends at this moment.
fn number(session: &Session) -> Option<u32> {
    let device = session.props::<Device>().ok()?;
    device.number().ok().map(|number| **number)
}

/// Ends one session of the user's.
pub(crate) async fn log_out_one(
    member: Member,
    Path(device): Path<u32>,
) -> Result<StatusCode, Problem> {
    let named = active(&member)
        .into_iter()
        .find(|session| number(session) == Some(device))
        .ok_or(Problem::Device(device))?;
    if named == *member.session {
        member.session.terminate_because("logged out");
    } else {
        named.terminate_because("logged out from another device");
    }
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Serialize)]
pub(crate) struct Ended {
    ended: usize,
}

/// Ends the user's other sessions, whose pages are told.
pub(crate) async fn log_out_others(member: Member) -> Reply<Ended> {
    let mut others = active(&member);
    others.retain(|session| *session != *member.session);
    for other in &others {
        other.terminate_because("logged out from another device");
    }
    Reply(Ended {
        ended: others.len(),
    })
}
