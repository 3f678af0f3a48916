//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::local::{loopback, seconds, value};

/// The usage text.
pub(crate) const USAGE: &str = "\
Serves the SQL workbench from three nodes on this machine, with Redis and a load balancer, until Ctrl-C.
It needs `redis-server` or `valkey-server` (Debian: apt-get install redis-server).

usage: cluster [--listen ADDR] [--status ADDR] [--lease SECONDS]

  --listen ADDR   where visitors reach it (default: 127.0.0.1:3000; port 0 takes a free one)
  --status ADDR   where a page shows the nodes and what happened to them (default: 127.0.0.1:3001)
  --lease SECONDS how long a node may serve without word from Redis (default: 6): a node that is killed is
                  given up a tenth later";

/// The parsed command line.
#[derive(Debug, PartialEq)]
pub(crate) enum Args {
    /// Print the usage.
    Help,
    /// Start the cluster.
    Start(Options),
    /// Be one of its nodes.
    Node(NodeOptions),
}

#[derive(Debug, PartialEq)]
pub(crate) struct Options {
    pub(crate) listen: SocketAddr,
    pub(crate) status: SocketAddr,
    pub(crate) lease: Duration,
}

/// The options that the first process passes to a node. The secret comes in a variable, which other users can't see.
#[derive(Debug, PartialEq)]
pub(crate) struct NodeOptions {
    /// The port of the front, after which the cookie is named: the same at all nodes.
    pub(crate) front: u16,
    /// The port of Redis.
    pub(crate) redis: u16,
    pub(crate) lease: Duration,
    pub(crate) database: PathBuf,
}

/// The variable with the cluster's secret.
pub(crate) const SECRET: &str = "CLUSTER_SECRET";

impl Args {
    /// Reads the arguments after the program's name. An error is one line for the user.
    pub(crate) fn parse(args: impl IntoIterator<Item = String>) -> Result<Self, String> {
        let args: Vec<_> = args.into_iter().collect();
        let args: Vec<_> = args.iter().map(String::as_str).collect();
        if let ["node", front, redis, lease, database] = args[..] {
            return Ok(Self::Node(NodeOptions {
                front: value(Some(front), "node", "a port")?,
                redis: value(Some(redis), "node", "a port")?,
                lease: seconds(Some(lease), "node")?,
                database: database.into(),
            }));
        }
        let mut options = Options {
            listen: SocketAddr::from(([127, 0, 0, 1], 3000)),
            status: SocketAddr::from(([127, 0, 0, 1], 3001)),
            lease: Duration::from_secs(6),
        };
        for option in args.chunks(2) {
            match *option {
                ["-h" | "--help", ..] => return Ok(Self::Help),
                ["--listen", address] => options.listen = loopback(Some(address), "--listen")?,
                ["--status", address] => options.status = loopback(Some(address), "--status")?,
                ["--lease", lease] => options.lease = seconds(Some(lease), "--lease")?,
                [flag @ ("--listen" | "--status" | "--lease")] => {
                    return Err(format!("{flag} takes a value: see --help"));
                }
                [flag, ..] => return Err(format!("unknown option `{flag}`: see --help")),
                [] => {}
            }
        }
        Ok(Self::Start(options))
    }
}

impl NodeOptions {
    /// The arguments of a node's process.
    pub(crate) fn to_args(&self) -> [String; 5] {
        [
            "node".to_owned(),
            self.front.to_string(),
            self.redis.to_string(),
            self.lease.as_secs().to_string(),
            self.database.display().to_string(),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str]) -> Result<Args, String> {
        Args::parse(args.iter().map(|&arg| arg.to_owned()))
    }

    #[test]
    fn a_node_reads_the_options_that_it_was_started_with() {
        let options = NodeOptions {
            front: 3000,
            redis: 6379,
            lease: Duration::from_secs(6),
            database: "/tmp/a b/workbench.db".into(),
        };
        let read = Args::parse(options.to_args());
        assert_eq!(read, Ok(Args::Node(options)));
    }

    #[test]
    fn a_mistake_is_one_line_that_names_the_option() {
        for (args, named) in [
            (&["--port", "1"][..], "--port"),
            (&["--listen"], "--listen"),
            (&["--listen", "0.0.0.0:3000"], "--listen"),
            (&["--status", "nowhere"], "--status"),
            (&["--lease", "0"], "--lease"),
        ] {
            let message = parse(args).unwrap_err();
            assert!(
                message.contains(named) && !message.contains('\n'),
                "{message}"
            );
        }
    }
}
