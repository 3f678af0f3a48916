//! The program, from the command line to the orderly end.

use std::error::Error;
use std::process::ExitCode;

use tokio::runtime::Runtime;

use super::Chat;
use super::args::{Args, Options, USAGE};
use super::users::{Users, UsersError, random_password};
use crate::local::{End, exit_code, failure, listen, serve_until_told, start_log};

const PROGRAM: &str = "chat";

/// The users without a file of users.
const DEMO_USERS: [&str; 3] = ["ann", "bob", "eve"];

/// The program. It returns 2 for a wrong command line or file of users, 1 if it cannot serve, and 130 if it was told to
/// stop at once.
pub fn main() -> ExitCode {
    let options = match Args::parse(std::env::args_os().skip(1)) {
        Ok(Args::Serve(options)) => options,
        Ok(Args::Help) => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        Err(message) => return failure(PROGRAM, message, 2),
    };
    start_log();
    let users = match users(&options) {
        Ok(users) => users,
        Err(error) => return failure(PROGRAM, error, 2),
    };
    let served = Runtime::new()
        .map_err(Into::into)
        .and_then(|runtime| runtime.block_on(serve(options, users)));
    exit_code(PROGRAM, served)
}

/// Returns the users of the file. Without one, prints the names and passwords of the demo users.
fn users(options: &Options) -> Result<Users, UsersError> {
    if let Some(file) = &options.users {
        return Users::read(file);
    }
    let made = DEMO_USERS.map(|name| (name, random_password()));
    for (name, password) in &made {
        println!("{name}  {password}");
    }
    let users: Vec<_> = made
        .iter()
        .map(|(name, password)| (*name, password.as_str()))
        .collect();
    Users::with_passwords(&users)
}

async fn serve(options: Options, users: Users) -> Result<End, Box<dyn Error>> {
    let listener = listen(options.listen).await?;
    let address = listener.local_addr()?;
    let chat = Chat::new(users, address.port());
    let sessions = chat.manage_sessions(options.idle);
    let app = chat.app(sessions.clone());
    println!("listening on http://{address}");
    tracing::info!(
        "for the people at this machine: other machines, names and pages of other sites are refused"
    );
    Ok(serve_until_told(listener, app, sessions).await)
}
