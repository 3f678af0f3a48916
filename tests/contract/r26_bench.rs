//! The property set that the tests of row 26 share, whose initializers and hooks go as a test asks for.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use session_core::{
    Exclusive, InitContext, LocalSession, Property, PropertyError, PropertyState, Props, Session,
    SessionManager, SessionProperties,
};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::kit::{Log, Tell, builder};

pub(crate) const LEND_TIMEOUT: Duration = Duration::from_secs(7);
pub(crate) const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// How an initializer or a hook goes.
#[derive(Clone, Copy)]
pub(crate) enum Course {
    Takes(u64),
    Fails,
    FailsAfter(u64),
    Panics,
    Hangs,
}
use Course::{Fails, FailsAfter, Hangs, Panics, Takes};

impl Course {
    async fn run(self) -> Result<(), &'static str> {
        match self {
            Takes(0) => Ok(()),
            Takes(seconds) => {
                sleep(Duration::from_secs(seconds)).await;
                Ok(())
            }
            Fails => Err("as asked for"),
            FailsAfter(seconds) => {
                sleep(Duration::from_secs(seconds)).await;
                Err("as asked for")
            }
            Panics => panic!("as asked for"),
            Hangs => std::future::pending().await,
        }
    }
}

#[derive(Clone, Default)]
pub(crate) struct App {
    pub(crate) log: Log,
    pub(crate) opens: Arc<Mutex<VecDeque<Course>>>,
    pub(crate) closes: Arc<Mutex<VecDeque<Course>>>,
    pub(crate) opened: Arc<Mutex<u32>>,
}

impl App {
    /// The next initializers and hooks go like this, later ones take no time.
    pub(crate) fn next(&self, opens: &[Course], closes: &[Course]) {
        self.opens.lock().unwrap().extend(opens);
        self.closes.lock().unwrap().extend(closes);
    }

    pub(crate) fn open(&self) -> Connection {
        let mut number = self.opened.lock().unwrap();
        *number += 1;
        self.log.add(format!("opened {number}"));
        Connection {
            number: *number,
            app: self.clone(),
        }
    }

    pub(crate) fn log(&self) -> Vec<String> {
        self.log.entries()
    }
}

pub(crate) fn next(courses: &Mutex<VecDeque<Course>>) -> Course {
    courses.lock().unwrap().pop_front().unwrap_or(Takes(0))
}

pub(crate) struct Connection {
    pub(crate) number: u32,
    pub(crate) app: App,
}

pub(crate) async fn open(cx: &InitContext<App>) -> Result<Connection, &'static str> {
    next(&cx.state().opens).run().await?;
    Ok(cx.state().open())
}

pub(crate) fn open_here(cx: &InitContext<App>) -> Result<Connection, &'static str> {
    match next(&cx.state().opens) {
        Fails => Err("as asked for"),
        _ => Ok(cx.state().open()),
    }
}

pub(crate) async fn close(connection: Connection) -> Result<(), &'static str> {
    let Connection { number, app } = connection;
    app.log.add(format!("closing {number}"));
    next(&app.closes).run().await?;
    app.log.add(format!("closed {number}"));
    Ok(())
}

pub(crate) fn close_here(connection: Connection) {
    let Connection { number, app } = connection;
    app.log.add(format!("closed {number}"));
}

#[derive(SessionProperties)]
#[session(state = App)]
pub(crate) struct Bench {
    #[property(try_async_init = open, close = close)]
    pub(crate) connection: Exclusive<Connection>,
    #[property(try_init = open_here, close = close_here)]
    pub(crate) here: Exclusive<Connection>,
    #[property(init = |cx: &InitContext<App>| cx.state().log.tell("other dropped"))]
    pub(crate) other: Property<Tell>,
    #[property(default)]
    pub(crate) count: Exclusive<u32>,
    #[property(init = || String::from("a text"))]
    pub(crate) text: Exclusive<String>,
    pub(crate) by_hand: Exclusive<Tell>,
    #[property(try_async_init = asks_for_itself, close = |_: u32| ())]
    pub(crate) selfish: Exclusive<u32>,
    #[property(try_async_init = needs_crossed)]
    pub(crate) needs_crossed: Property<u32>,
    #[property(try_async_init = crossed, close = |_: u32| ())]
    pub(crate) crossed: Exclusive<u32>,
}

/// The second time it asks for itself.
pub(crate) async fn asks_for_itself(cx: &InitContext<App>) -> Result<u32, PropertyError> {
    let first = *cx.state().opened.lock().unwrap() == 0;
    *cx.state().opened.lock().unwrap() += 1;
    if first {
        return Ok(1);
    }
    let bench = cx.session().props::<Bench>().unwrap();
    bench.selfish().await.map(|value| *value)
}

pub(crate) async fn needs_crossed(cx: &InitContext<App>) -> Result<u32, PropertyError> {
    let bench = cx.session().props::<Bench>().unwrap();
    bench.crossed().await.map(|value| *value)
}

/// The second time it needs a property whose initializer is waiting in line for this one.
pub(crate) async fn crossed(cx: &InitContext<App>) -> Result<u32, PropertyError> {
    let first = *cx.state().opened.lock().unwrap() == 0;
    *cx.state().opened.lock().unwrap() += 1;
    if first {
        return Ok(1);
    }
    let bench = cx.session().props::<Bench>().unwrap();
    bench.needs_crossed().await.map(|value| **value)
}

pub(crate) type World = (SessionManager, Session, Props<Bench>, App);

pub(crate) fn world() -> World {
    let app = App::default();
    let sessions = builder()
        .lend_timeout(LEND_TIMEOUT)
        .close_timeout(CLOSE_TIMEOUT)
        .state(app.clone())
        .build()
        .unwrap();
    let session = sessions.create().unwrap();
    let bench = session.props().unwrap();
    (sessions, session, bench, app)
}

/// The state of the property `name` in a listing.
pub(crate) fn state(session: &Session, name: &str) -> PropertyState {
    let list = session.properties().list();
    let info = list.iter().find(|info| info.name() == name).unwrap();
    assert_eq!(info.age().is_some(), info.state() == PropertyState::Present);
    info.state()
}

pub(crate) type Lent = Result<u32, PropertyError>;

/// A task that asks for the connection, and adds its number to the log when it has it.
pub(crate) fn ask(bench: &Props<Bench>, app: &App, number: usize) -> JoinHandle<Lent> {
    let (bench, log) = (bench.clone(), app.log.clone());
    tokio::spawn(async move {
        let connection = bench.connection().await?;
        log.add(format!("lent to {number}"));
        Ok(connection.number)
    })
}
