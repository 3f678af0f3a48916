//! A tab that is attached to a shell by a WebSocket.
//!
//! To the tab go pictures of the screen: whenever it has changed, and the tab has taken the one before. So a tab that
//! does not read misses pictures, and none queue up for it. From the tab come keys, as bytes for the program, and
//! wishes.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{CloseFrame, Message, close_code};
use serde::Deserialize;
use session_axum::Socket;
use tokio::time::{Instant, sleep_until};

use super::frame::View;
use super::screen::Size;
use super::shell::Line;

/// The most bytes of keys in a message.
pub(super) const MOST_KEYS: usize = 64 << 10;
/// The least time between two pictures.
const BETWEEN: Duration = Duration::from_millis(16);
/// The code with which the socket is closed when the shell has ended: of those for an application's own use.
const SHELL_ENDED: u16 = 4000;

/// A wish of the tab's user.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Wish {
    /// For this number of columns and rows.
    Resize(Size),
    /// To see the screen this many lines back.
    Back(usize),
}

/// Serves the tab until it closes its socket, or the shell has ended.
pub(super) async fn attach(mut socket: Socket, line: Arc<Line>) {
    let mut changes = line.screen.watch();
    let mut view = View::default();
    let mut own_size = None;
    // Keys that have found no room.
    let mut keys = None;
    let mut has_changed = true;
    let mut next_picture = Instant::now();
    loop {
        tokio::select! {
            message = socket.recv(), if keys.is_none() => match message {
                Some(Ok(Message::Binary(typed))) if typed.len() > MOST_KEYS => {
                    return close(&mut socket, close_code::SIZE, "too many keys in a message").await;
                }
                Some(Ok(Message::Binary(typed))) => {
                    // The tab in which somebody types decides on the size.
                    if let Some(size) = own_size {
                        line.resize(size);
                    }
                    view.back = 0;
                    has_changed = true;
                    keys = Some(typed.to_vec());
                }
                Some(Ok(Message::Text(wish))) => match serde_json::from_str(&wish) {
                    Ok(Wish::Resize(size)) => {
                        own_size = Some(size);
                        line.resize(size);
                    }
                    Ok(Wish::Back(lines)) => {
                        view.back = lines;
                        has_changed = true;
                    }
                    Err(_) => {
                        return close(&mut socket, close_code::POLICY, "not a wish").await;
                    }
                },
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return,
            },
            room = line.keys.reserve(), if keys.is_some() => {
                // Keys for a shell that has ended are for nobody.
                if let (Ok(room), Some(keys)) = (room, keys.take()) {
                    room.send(keys);
                }
            }
            _ = changes.changed(), if !has_changed => has_changed = true,
            () = sleep_until(next_picture), if has_changed => {
                let end = changes.borrow_and_update().clone();
                has_changed = false;
                if let Some(picture) = view.update(&line.screen) {
                    if socket.send(Message::Text(picture.into())).await.is_err() {
                        return;
                    }
                    next_picture = Instant::now() + BETWEEN;
                }
                if let Some(end) = end {
                    return close(&mut socket, SHELL_ENDED, &end).await;
                }
            }
        }
    }
}

async fn close(socket: &mut Socket, code: u16, reason: &str) {
    let reason = reason.into();
    let _gone = socket
        .send(Message::Close(Some(CloseFrame { code, reason })))
        .await;
}
