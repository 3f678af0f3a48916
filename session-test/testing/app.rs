use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::ws::Message as Frame;
use axum::response::sse::{Event as Sent, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use axum::{Form, Router};
use futures_util::stream;
use session_axum::{LazySession, Props, Session, SessionLayer, SessionRejection};
use session_axum::{SessionUpgrade, Socket};
use session_core::{Exclusive, InitContext, SessionManager, SessionProperties};

/// The published lines, as a database would have them.
#[derive(Clone, Default)]
pub struct Database(Arc<Mutex<Vec<String>>>);

/// A transaction: its lines are in the database once it is committed.
pub struct Draft {
    database: Database,
    lines: Vec<String>,
}

impl Draft {
    fn begin(cx: &InitContext<Database>) -> Self {
        Self { database: cx.state().clone(), lines: vec![] }
    }

    fn commit(&mut self) {
        self.database.0.lock().unwrap().append(&mut self.lines);
    }

    async fn roll_back(self) -> Result<(), &'static str> {
        if self.lines.iter().any(|line| line == "jam") { Err("paper jam") } else { Ok(()) }
    }
}

/// The live object of each visitor.
#[derive(SessionProperties)]
#[session(state = Database)]
pub struct Desk {
    #[property(init = Draft::begin, close = Draft::roll_back)]
    pub draft: Exclusive<Draft>,
}

#[derive(serde::Deserialize)]
struct LogIn { user: String }

async fn log_in(visitor: LazySession, Form(form): Form<LogIn>) -> Result<(), SessionRejection> {
    visitor.log_in(format!("user:{}", form.user).into())?;
    Ok(())
}

async fn write(visitor: LazySession, line: String) -> Result<String, SessionRejection> {
    let desk = visitor.props::<Desk>()?;
    let mut draft = desk.draft().await?;
    draft.lines.push(line);
    Ok(draft.lines.len().to_string())
}

async fn publish(desk: Props<Desk>) -> Result<(), SessionRejection> {
    desk.draft().await?.commit();
    Ok(())
}

async fn clock(_: Session) -> impl IntoResponse {
    Sse::new(stream::unfold(0, async |minute| {
        tokio::time::sleep(Duration::from_secs(60)).await;
        Some((Ok::<_, Infallible>(Sent::default().data(minute.to_string())), minute + 1))
    }))
}

async fn editor(upgrade: SessionUpgrade, desk: Props<Desk>) -> Response {
    upgrade.run(async move |mut socket: Socket| {
        while let Some(Ok(Frame::Text(line))) = socket.recv().await {
            let Ok(mut draft) = desk.draft().await else { return };
            draft.lines.push(line.to_string());
            let _ = socket.send(Frame::Text(draft.lines.len().to_string().into())).await;
        }
    })
}

pub fn app(sessions: &SessionManager) -> Router {
    Router::new()
        .route("/log-in", post(log_in))
        .route("/log-out", post(async |session: Session| session.terminate()))
        .route("/lines", post(write))
        .route("/publish", post(publish))
        .route("/clock", get(clock))
        .route("/editor", any(editor))
        .layer(SessionLayer::new(sessions.clone()))
}

/// The managers of the application and of its tests differ in nothing.
pub fn sessions(database: &Database) -> SessionManager {
    SessionManager::builder()
        .idle_timeout(Duration::from_secs(20 * 60))
        .state(database.clone())
        .build()
        .expect("there is a runtime")
}
