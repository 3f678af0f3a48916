//! A property set, derived.

#[path = "values.rs"]
mod values;

use std::io;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use session_core::{
    Exclusive, InitContext, LocalSession as _, Property, Session, SessionProperties,
};

use self::values::{Connection, Cursor, Index, Log, Running, Socket, Theme, User};
use super::app::{App, Touched};

/// A visitor's desk.
#[derive(SessionProperties)]
#[session(state = App)]
pub struct Workbench {
    /// How many requests came.
    #[property(default)]
    pub hits: Property<AtomicU64>,

    /// The visitor's notes.
    #[property(default)]
    pub notes: Property<Mutex<Vec<String>>>,

    /// The queries that run.
    #[property(init = Running::none)]
    pub running: Property<Running>,

    /// The colors of the pages.
    #[property(init = |cx| Theme::of(cx.state()))]
    pub theme: Property<Theme>,

    /// The visitor's actions.
    #[property(try_init = open_log)]
    pub log: Property<Log>,

    /// The search index.
    #[property(async_init = async |cx| Index::load(cx.state()).await)]
    pub index: Property<Index>,

    /// The line to the visitor's browser.
    #[property(
        try_async_init = async |cx| Socket::connect(cx.state()).await,
        close = async |socket| socket.shut_down().await
    )]
    pub socket: Property<Socket>,

    /// The user that has logged in.
    #[property(close = User::sign_off)]
    pub user: Property<User>,

    /// Where the visitor is in a list.
    #[property(default)]
    pub cursor: Exclusive<Cursor>,

    /// The visitor's own connection.
    #[property(try_async_init = open, close = Connection::roll_back)]
    pub connection: Exclusive<Connection>,
}

fn open_log(cx: &InitContext<App>) -> io::Result<Log> {
    Log::open(cx.state())
}

async fn open(cx: &InitContext<App>) -> io::Result<Connection> {
    Connection::open(cx.state()).await
}

/// Calls every accessor.
pub fn touch(session: Session) -> Touched {
    Box::pin(async move {
        let bench = session.props::<Workbench>()?;
        bench.set_user(User("ada".to_owned()))?;
        bench.hits()?.fetch_add(1, Ordering::Relaxed);
        bench.notes()?.lock().expect("nobody panics").clear();
        bench.running()?.start();
        bench.cursor().await?.advance();
        bench.connection().await?.execute("begin");
        let user = bench.user().map(|user| user.0.clone());
        let theme = bench.theme()?.name().to_owned();
        let peer = bench.socket().await?.peer().to_owned();
        let words = bench.log()?.count() + bench.index().await?.count();
        Ok(format!("{user:?} {theme} {peer} {words}"))
    })
}
