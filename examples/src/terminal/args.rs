//! The command line.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::time::Duration;

use crate::local::{loopback, seconds};

/// The usage text.
pub(super) const USAGE: &str = "\
Serves a shell of yours to your browser, on this machine only. Open the address that it prints: the key in it is what
lets you in, so keep it to yourself.

usage: terminal [--listen ADDR] [--idle SECONDS] [--shell PROGRAM]

  --listen ADDR    where to listen, a loopback address (default: 127.0.0.1:3000; port 0 takes a free one)
  --idle SECONDS   how long a shell lives without a key press (default: 3600)
  --shell PROGRAM  the program to run (default: $SHELL, else /bin/sh)";

/// The parsed command line.
#[derive(Debug, PartialEq)]
pub(super) enum Args {
    /// Print the usage.
    Help,
    /// Serve the terminal.
    Serve(Options),
}

/// How to serve the terminal.
#[derive(Debug, PartialEq)]
pub(super) struct Options {
    pub(super) listen: SocketAddr,
    pub(super) idle: Duration,
    pub(super) shell: OsString,
}

impl Args {
    /// Reads the arguments after the program's name. An error is one line for the user.
    pub(super) fn parse(
        args: impl IntoIterator<Item = OsString>,
        own_shell: Option<OsString>,
    ) -> Result<Self, String> {
        let mut options = Options {
            listen: SocketAddr::from(([127, 0, 0, 1], 3000)),
            idle: Duration::from_secs(3600),
            shell: own_shell
                .filter(|shell| !shell.is_empty())
                .unwrap_or_else(|| "/bin/sh".into()),
        };
        let mut args = args.into_iter();
        while let Some(arg) = args.next() {
            match arg.to_str() {
                Some("-h" | "--help") => return Ok(Self::Help),
                Some("--listen") => options.listen = loopback(args.next(), "--listen")?,
                Some("--idle") => options.idle = seconds(args.next(), "--idle")?,
                Some("--shell") => {
                    let given = args.next().filter(|shell| !shell.is_empty());
                    options.shell = given.ok_or("--shell takes a program")?;
                }
                _ => {
                    let arg = arg.display();
                    return Err(format!("unknown argument `{arg}`: see --help"));
                }
            }
        }
        Ok(Self::Serve(options))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str]) -> Result<Args, String> {
        Args::parse(args.iter().map(OsString::from), Some("/bin/own".into()))
    }

    #[test]
    fn no_arguments_give_the_defaults() {
        let Ok(Args::Serve(options)) = parse(&[]) else {
            panic!("the defaults serve")
        };
        assert_eq!(options.listen.to_string(), "127.0.0.1:3000");
        assert_eq!(options.shell, "/bin/own");
        let Ok(Args::Serve(options)) = Args::parse([], None) else {
            panic!("the defaults serve")
        };
        assert_eq!(options.shell, "/bin/sh");
    }

    #[test]
    fn options_are_read() {
        let args = parse(&["--listen", "[::1]:0", "--shell", "fish", "--idle", "5"]);
        let expected = Options {
            listen: "[::1]:0".parse().unwrap(),
            idle: Duration::from_secs(5),
            shell: "fish".into(),
        };
        assert_eq!(args, Ok(Args::Serve(expected)));
    }

    #[test]
    fn a_mistake_is_one_line_that_names_the_option() {
        for (args, named) in [
            (&["--port", "1"][..], "--port"),
            (&["bash"], "bash"),
            (&["--listen"], "--listen"),
            (&["--listen", "nowhere"], "--listen"),
            (
                &["--listen", "0.0.0.0:3000"],
                "--listen takes a loopback address",
            ),
            (
                &["--listen", "192.168.1.2:3000"],
                "--listen takes a loopback address",
            ),
            (
                &["--listen", "[::]:3000"],
                "--listen takes a loopback address",
            ),
            (&["--idle", "0"], "--idle"),
            (&["--idle", "soon"], "--idle"),
            (&["--shell"], "--shell"),
            (&["--shell", ""], "--shell"),
        ] {
            let message = parse(args).unwrap_err();
            assert!(
                message.contains(named) && !message.contains('\n'),
                "{message}"
            );
        }
    }
}
