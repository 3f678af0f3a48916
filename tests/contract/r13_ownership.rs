//! Row 13: every property is owned, and the ways to close it.

use session_core::{
    Exclusive, LocalSession, Property, PropertyKey, Session, SessionManager, SessionProperties,
};

use crate::kit::{Log, Tell, manager};

fn session() -> (SessionManager, Session) {
    let sessions = manager();
    let session = sessions.create().unwrap();
    (sessions, session)
}

thread_local! {
    /// The events on this thread. Tests here run on one.
    static LOG: Log = Log::default();
}

fn log() -> Log {
    LOG.with(Log::clone)
}

fn tell(name: &'static str) -> Tell {
    log().tell(name)
}

#[derive(SessionProperties)]
struct Owned {
    #[property(init = || tell("cell"))]
    cell: Property<Tell>,
    #[property(async_init = async || tell("async cell"))]
    async_cell: Property<Tell>,
    #[property(init = || tell("lent cell"))]
    lent: Exclusive<Tell>,
    #[property(async_init = async || tell("async lent cell"))]
    async_lent: Exclusive<Tell>,
    set: Property<Tell>,
    set_lent: Exclusive<Tell>,
}

#[tokio::test]
async fn r13_every_property_is_owned_with_no_word_from_the_user() {
    let (_sessions, session) = session();
    let owned = session.props::<Owned>().unwrap();
    owned.cell().unwrap();
    owned.async_cell().await.unwrap();
    drop(owned.lent().await.unwrap());
    drop(owned.async_lent().await.unwrap());
    owned.set_set(tell("set")).unwrap();
    owned.set_set_lent(tell("set lent")).unwrap();
    drop(owned);
    let properties = session.properties();
    let key = PropertyKey::<Tell, _>::named;
    properties.insert(&key("a"), tell("inserted")).unwrap();
    properties.get_or_init(&key("b"), || tell("made")).unwrap();
    let made = async || tell("made on a task");
    properties.get_or_init_async(&key("c"), made).await.unwrap();
    assert!(
        properties
            .replace(&key("d"), tell("put"))
            .unwrap()
            .is_none()
    );
    assert_eq!(log().count(), 0);

    session.terminate();
    let report = session.cleanup_completed().await;
    assert!(report.is_clean());
    assert_eq!(report.closed(), 10);
    let in_order = [
        "put",
        "made on a task",
        "made",
        "inserted",
        "set lent",
        "set",
        "async lent cell",
        "lent cell",
        "async cell",
        "cell",
    ];
    assert_eq!(log().entries(), in_order);
}

/// A value that is closed by a function that takes it by value.
struct Transaction(&'static str);

/// The result of a rollback, which is ignored.
struct Rows;

#[derive(Debug)]
struct DbError;

impl Transaction {
    fn rollback(self) -> Result<Rows, DbError> {
        log().add(format!("{} rolled back", self.0));
        if self.0 == "fails" {
            Err(DbError)
        } else {
            Ok(Rows)
        }
    }

    async fn rollback_later(self) -> Result<Rows, DbError> {
        tokio::task::yield_now().await;
        self.rollback()
    }

    fn forget(self) {
        log().add(format!("{} forgotten", self.0));
    }

    async fn forget_later(self) {
        tokio::task::yield_now().await;
        self.forget();
    }
}

#[derive(SessionProperties)]
struct Hooked {
    #[property(close = Transaction::rollback)]
    rollback: Property<Transaction>,
    #[property(close = Transaction::rollback_later)]
    rollback_later: Exclusive<Transaction>,
    #[property(close = Transaction::forget)]
    forget: Exclusive<Transaction>,
    #[property(close = Transaction::forget_later)]
    forget_later: Property<Transaction>,
    #[property(close = |mut transaction| { transaction.0 = "E"; transaction.forget() })]
    closure: Property<Transaction>,
    #[property(close = async |transaction| transaction.rollback_later().await)]
    async_closure: Exclusive<Transaction>,
    #[property(close = |transaction| async move { transaction.forget_later().await })]
    closure_of_future: Property<Transaction>,
}

#[tokio::test]
async fn r13_a_hook_is_sync_or_async_and_takes_the_value_by_value() {
    let (_sessions, session) = session();
    let hooked = session.props::<Hooked>().unwrap();
    assert!(hooked.set_rollback(Transaction("a")).is_ok());
    assert!(hooked.set_rollback_later(Transaction("b")).is_ok());
    assert!(hooked.set_forget(Transaction("c")).is_ok());
    assert!(hooked.set_forget_later(Transaction("d")).is_ok());
    assert!(hooked.set_closure(Transaction("e")).is_ok());
    assert!(hooked.set_async_closure(Transaction("f")).is_ok());
    assert!(hooked.set_closure_of_future(Transaction("g")).is_ok());
    drop(hooked);
    let properties = session.properties();
    let key = PropertyKey::named;
    let kept = [
        properties.insert_with(&key("h"), Transaction("h"), Transaction::rollback),
        properties.insert_with(&key("i"), Transaction("i"), Transaction::forget_later),
    ];
    assert!(kept.into_iter().all(|kept| kept.is_ok()));
    session.terminate();
    let report = session.cleanup_completed().await;
    assert!(report.is_clean());
    assert_eq!(report.closed(), 9);
    let closed = [
        "i forgotten",
        "h rolled back",
        "g forgotten",
        "f rolled back",
        "E forgotten",
        "d forgotten",
        "c forgotten",
        "b rolled back",
        "a rolled back",
    ];
    assert_eq!(log().entries(), closed);
}

#[tokio::test]
async fn r13_an_error_of_a_hook_is_shown_by_its_debug() {
    let (_sessions, session) = session();
    let hooked = session.props::<Hooked>().unwrap();
    assert!(hooked.set_rollback(Transaction("fails")).is_ok());
    assert!(hooked.set_async_closure(Transaction("fails")).is_ok());
    drop(hooked);
    session.terminate();
    let report = session.cleanup_completed().await;
    let problems = report.problems().iter().map(ToString::to_string);
    let transaction = std::any::type_name::<Transaction>();
    let expected = ["async_closure", "rollback"]
        .map(|name| format!("`{name}` ({transaction}): failed: DbError"));
    assert_eq!(problems.collect::<Vec<_>>(), expected);
    assert_eq!(report.closed(), 2);
}
