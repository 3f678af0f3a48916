//! The command line.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::local::{loopback, seconds};

/// The usage text.
pub(crate) const USAGE: &str = "\
Serves a chat with log-in to the people at this machine.

usage: chat [--listen ADDR] [--idle SECONDS] [--users FILE]

  --listen ADDR   where to listen: a loopback address (default: 127.0.0.1:3000; port 0 takes a free one)
  --idle SECONDS  how long a session lives without a request or an open page (default: 1200)
  --users FILE    lines `name:hash`, where `argon2 SALT -id -e` prints the hash
                  (default: ann, bob and eve, with passwords that are made and printed at the start)";

/// The parsed command line.
#[derive(Debug, PartialEq)]
pub(crate) enum Args {
    /// Print the usage.
    Help,
    /// Serve the chat.
    Serve(Options),
}

/// How to serve the chat.
#[derive(Debug, PartialEq)]
pub(crate) struct Options {
    pub(crate) listen: SocketAddr,
    pub(crate) idle: Duration,
    pub(crate) users: Option<PathBuf>,
}

impl Args {
    /// Reads the arguments after the program's name. An error is one line for the user.
    pub(crate) fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Self, String> {
        let mut options = Options {
            listen: SocketAddr::from(([127, 0, 0, 1], 3000)),
            idle: Duration::from_secs(20 * 60),
            users: None,
        };
        let mut args = args.into_iter();
        while let Some(arg) = args.next() {
            match arg.to_str() {
                Some("-h" | "--help") => return Ok(Self::Help),
                Some("--listen") => options.listen = loopback(args.next(), "--listen")?,
                Some("--idle") => options.idle = seconds(args.next(), "--idle")?,
                Some("--users") => {
                    options.users = Some(args.next().ok_or("--users takes a file")?.into());
                }
                _ => return Err(format!("`{}` is no option: see --help", arg.display())),
            }
        }
        Ok(Self::Serve(options))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str]) -> Result<Args, String> {
        Args::parse(args.iter().map(OsString::from))
    }

    #[test]
    fn options_come_in_any_order() {
        let expected = Options {
            listen: "[::1]:0".parse().unwrap(),
            idle: Duration::from_secs(5),
            users: Some("users".into()),
        };
        let args = parse(&["--users", "users", "--idle", "5", "--listen", "[::1]:0"]);
        assert_eq!(args, Ok(Args::Serve(expected)));
    }

    #[test]
    fn a_mistake_is_one_line_that_names_the_option() {
        for (args, named) in [
            (&["--port", "1"][..], "--port"),
            (&["users"], "users"),
            (&["--listen"], "--listen"),
            (&["--listen", "nowhere"], "--listen"),
            (&["--listen", "0.0.0.0:3000"], "loopback"),
            (&["--listen", "192.168.0.7:3000"], "loopback"),
            (&["--listen", "[::]:3000"], "loopback"),
            (&["--idle", "0"], "--idle"),
            (&["--users"], "--users"),
        ] {
            let message = parse(args).unwrap_err();
            assert!(
                message.contains(named) && !message.contains('\n'),
                "{message}"
            );
        }
    }
}
