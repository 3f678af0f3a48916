//! A chat: users log in on several devices, see each other's messages as they come, and log their other devices out.
//!
//! The conversation belongs to the server. What belongs to a *user*, such as the number of messages that may still be
//! sent, is in the group of the user's sessions, and what belongs to a *device*, such as a text that is not sent yet, is
//! in its session. The modules:
//!
//! - `set`: the contents of a session, and of a user's group
//! - `users`, `door`: the users, their passwords, and how many guesses there are
//! - `bucket`: a limit of so many per time
//! - `text`: whether anything of a message can be seen
//! - `room`, `events`: the conversation, and the event stream in which a page follows it
//! - `devices`: the list of a user's sessions, and their ends
//! - `member`: the user that a request comes from
//! - `api`, `page`, `problem`: the requests, and their answers
//! - `crate::local`: which requests are let in
//! - `args`, `server`: the program around it

mod api;
mod args;
mod bucket;
mod devices;
mod door;
mod events;
mod member;
mod page;
mod problem;
mod room;
mod server;
mod set;
mod text;
mod users;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use session_core::{SessionManager, WhenFull};

use self::door::Door;
use self::room::Room;
pub use self::server::main;
pub use self::users::{Users, UsersError};

/// The devices that a user may be logged in on. A further one logs out the one that has been idle longest.
const MOST_DEVICES: usize = 8;

/// A chat. Clones are the same one.
///
/// ```
/// use examples::chat::{Chat, Users};
/// use session_test::Browser;
/// use std::time::Duration;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let chat = Chat::new(Users::with_passwords(&[("ann", "of the sea")])?, 3000);
/// let sessions = chat.manage_sessions(Duration::from_secs(1200));
/// let ann = Browser::new(chat.app(sessions));
/// let form = serde_json::json!({ "name": "ann", "password": "of the sea" });
/// ann.post("/log-in").json(&form).await.assert_status(200);
/// assert_eq!(ann.get("/people").await.text(), "[\"ann\"]\n");
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Chat {
    inner: Arc<Inner>,
}

struct Inner {
    room: Arc<Room>,
    door: Door,
    /// Cookies are not separated by port, so their names are.
    port: u16,
}

impl Chat {
    /// Creates a chat for these users, on this port.
    pub fn new(users: Users, port: u16) -> Self {
        Self {
            inner: Arc::new(Inner {
                room: Arc::new(Room::new()),
                door: Door::new(users),
                port,
            }),
        }
    }

    /// Creates the manager of its sessions. They end when they have been idle for so long.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime, and if `idle` is zero.
    pub fn manage_sessions(&self, idle: Duration) -> SessionManager {
        SessionManager::builder()
            .idle_timeout(idle)
            .group_linger(set::LINGER)
            .max_sessions_per_group(MOST_DEVICES, WhenFull::EvictIdlest)
            .state(self.clone())
            .build()
            .expect("there is a runtime, and no setting is zero")
    }

    /// Creates the application, with these sessions.
    pub fn app(&self, sessions: SessionManager) -> Router {
        api::router(self.clone(), sessions)
    }

    fn room(&self) -> &Arc<Room> {
        &self.inner.room
    }

    fn door(&self) -> &Door {
        &self.inner.door
    }

    /// The name of the session's cookie.
    fn cookie(&self) -> String {
        format!("chat-{}", self.inner.port)
    }

    /// The name of the cookie that tells a browser in which a user has logged in before.
    fn known_cookie(&self) -> String {
        format!("chat-{}-known", self.inner.port)
    }
}

impl fmt::Debug for Chat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chat").finish_non_exhaustive()
    }
}
