//! The contents of a session, and of all sessions of a user.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use session_core::{
    InitContext, LocalSession as _, Property, PropertyError, SessionGroup, SessionProperties,
};
use tokio::sync::watch;

use super::Chat;
use super::bucket::Bucket;
use super::room::Presence;
use super::users::UserName;

/// How long a user's account outlives the last session: longer than the account's bucket takes to fill, so that a log-out
/// never makes room for more messages.
pub(crate) const LINGER: Duration = Duration::from_secs(60);

/// Five messages, and then one every two seconds.
fn messages() -> Bucket {
    Bucket::new(5, Duration::from_secs(2))
}

/// Belongs to the user, whichever device it is: it is in the group of the user's sessions.
#[derive(SessionProperties)]
#[session(scope = group)]
pub(crate) struct Account {
    /// The messages that the user may send.
    #[property(init = messages)]
    pub(crate) messages: Property<Bucket>,

    /// How many devices there have been.
    #[property(default)]
    devices: Property<AtomicU32>,
}

impl Account {
    fn next_device(&self) -> Result<u32, PropertyError> {
        Ok(self.devices()?.fetch_add(1, Ordering::Relaxed) + 1)
    }
}

/// Belongs to one session: the tabs of one browser.
#[derive(SessionProperties)]
#[session(state = Chat)]
pub(crate) struct Device {
    /// Its number among the user's devices. Sessions have serials, but these count all visitors.
    #[property(try_init = number)]
    pub(crate) number: Property<u32>,

    /// Dropped when the session ends, so that the others see that its user has left.
    #[property(try_init = presence)]
    pub(crate) presence: Property<Presence>,

    /// The text that is being written. All tabs show it.
    #[property(init = || watch::Sender::new(Draft::default()))]
    pub(crate) draft: Property<watch::Sender<Draft>>,
}

/// A text that is not sent yet.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Draft {
    pub(crate) text: String,
    /// The tab that has it from its user, as that tab calls itself.
    #[serde(default)]
    pub(crate) tab: u32,
}

fn number(cx: &InitContext<Chat>) -> Result<u32, Box<dyn std::error::Error + Send + Sync>> {
    let account = cx.session().group().props::<Account>()?;
    Ok(account.next_device()?)
}

fn presence(cx: &InitContext<Chat>) -> Result<Presence, &'static str> {
    let name = user(&cx.session().group()).ok_or("no user has logged in")?;
    Ok(Presence::new(cx.state().room(), name))
}

/// The user of a group.
pub(crate) fn user(group: &SessionGroup) -> Option<UserName> {
    UserName::of_group(group.id()?)
}
