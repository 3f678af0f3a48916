//! A value moves between threads, in either cell.

use session_core::{Exclusive, LocalSession as _, Session, SessionProperties};

struct Cursor(*const u8);

#[derive(SessionProperties)]
struct Set {
    #[property(init = start)]
    cursor: Exclusive<Cursor>,
}

fn start() -> Cursor {
    Cursor(std::ptr::null())
}

fn cursor(session: &Session) {
    let set = session.props::<Set>().unwrap();
    drop(set.cursor());
}

fn main() {}
