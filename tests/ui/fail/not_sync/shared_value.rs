//! A value that can't be shared can be lent.

use std::cell::Cell;

use session_core::{LocalSession as _, Property, Session, SessionProperties};

struct Counter(Cell<u8>);

#[derive(SessionProperties)]
struct Set {
    #[property(init = start)]
    counter: Property<Counter>,
}

fn start() -> Counter {
    Counter(Cell::new(0))
}

fn count(session: &Session) {
    let set = session.props::<Set>().unwrap();
    set.counter().unwrap().0.get();
}

fn main() {}
