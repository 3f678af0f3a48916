//! All mistakes are reported in one go, and code that uses the set gets no error.

use session_core::{Exclusive, LocalSession as _, Property, Session, SessionProperties};

#[derive(SessionProperties)]
#[session(scope = request, nam = "set")]
struct Set {
    #[property(init = String::new(), close = || ())]
    notes: Property<String>,
    #[property(try_asink_init = open, close = "rollback")]
    connection: Exclusive<String>,
    #[property(name = user)]
    user: Property<String>,
    age: u8,
}

async fn use_it(session: &Session) -> Result<(), Box<dyn std::error::Error>> {
    let set = session.props::<Set>()?;
    set.notes()?.len();
    set.connection().await?.push('x');
    set.set_user(String::new())?;
    set.user().map(|user| user.len());
    Ok(())
}

fn main() {}
