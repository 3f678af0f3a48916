//! The command line.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::local::{seconds, value};

/// The usage text.
pub(crate) const USAGE: &str = "\
Serves a live SQL workbench: every visitor has a connection, temp tables and an open transaction of their own.
It is for people who trust each other on one machine: SQLite is not a sandbox for the SQL of strangers.

usage: workbench [--listen ADDR] [--idle SECONDS] [--patience SECONDS] [FILE...]

  FILE            CSV files, each loaded into a table named after it, or one SQLite database,
                  which is opened in place (default: two tables of sample data)
  --listen ADDR   where to listen (default: 127.0.0.1:3000; port 0 takes a free one)
  --idle SECONDS  how long a session lives without a request (default: 1200)
  --patience SECONDS
                  how long an open transaction may be idle while others wait for it (default: 55)";

/// The parsed command line.
#[derive(Debug, PartialEq)]
pub(crate) enum Args {
    /// Print the usage.
    Help,
    /// Serve the workbench.
    Serve(Options),
}

/// How to serve the workbench.
#[derive(Debug, PartialEq)]
pub(crate) struct Options {
    pub(crate) listen: SocketAddr,
    pub(crate) idle: Duration,
    pub(crate) patience: Duration,
    pub(crate) files: Vec<PathBuf>,
}

impl Args {
    /// Reads the arguments after the program's name. An error is one line for the user.
    pub(crate) fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Self, String> {
        let mut options = Options {
            listen: SocketAddr::from(([127, 0, 0, 1], 3000)),
            idle: Duration::from_secs(20 * 60),
            // Less than the minute after which clients and proxies give up.
            patience: Duration::from_secs(55),
            files: Vec::new(),
        };
        let mut args = args.into_iter();
        while let Some(arg) = args.next() {
            match arg.to_str() {
                Some("-h" | "--help") => return Ok(Self::Help),
                Some("--listen") => {
                    options.listen =
                        value(args.next(), "--listen", "an address like 127.0.0.1:3000")?;
                }
                Some("--idle") => options.idle = seconds(args.next(), "--idle")?,
                Some("--patience") => options.patience = seconds(args.next(), "--patience")?,
                Some("--") => options.files.extend(args.by_ref().map(PathBuf::from)),
                Some(flag) if flag.starts_with('-') && flag != "-" => {
                    return Err(format!("unknown option `{flag}`: see --help"));
                }
                _ => options.files.push(arg.into()),
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
    fn no_arguments_give_the_defaults() {
        let Ok(Args::Serve(options)) = parse(&[]) else {
            panic!("the defaults serve")
        };
        assert_eq!(options.listen.to_string(), "127.0.0.1:3000");
        assert!(options.files.is_empty());
    }

    #[test]
    fn options_and_files_mix_in_any_order() {
        let args = parse(&[
            "a.csv",
            "--listen",
            "[::1]:0",
            "--idle",
            "5",
            "--patience",
            "7",
            "--",
            "--odd.csv",
        ]);
        let expected = Options {
            listen: "[::1]:0".parse().unwrap(),
            idle: Duration::from_secs(5),
            patience: Duration::from_secs(7),
            files: vec!["a.csv".into(), "--odd.csv".into()],
        };
        assert_eq!(args, Ok(Args::Serve(expected)));
    }

    #[test]
    fn a_mistake_is_one_line_that_names_the_option() {
        for (args, named) in [
            (&["--port", "1"][..], "--port"),
            (&["--listen"], "--listen"),
            (&["--listen", "nowhere"], "--listen"),
            (&["--idle", "0"], "--idle"),
            (&["--idle", "-1"], "--idle"),
            (&["--patience", "soon"], "--patience"),
        ] {
            let message = parse(args).unwrap_err();
            assert!(
                message.contains(named) && !message.contains('\n'),
                "{message}"
            );
        }
    }
}
