//! The beginning and the end of the program, and of the processes that it has started.

use rustix::process::Signal;

use crate::kit::process::{ends, is_running};
use crate::kit::program::assert_refused;
use crate::kit::visitor::Visitor as _;
use crate::program::{Cluster, cluster};

#[tokio::test]
async fn ctrl_c_ends_it_and_leaves_nothing_behind() {
    let mut cluster = Cluster::start().await;
    for process in cluster.processes() {
        assert!(is_running(process.pid));
    }
    // A session with an open transaction.
    let visitor = cluster.visitor();
    visitor.rows("BEGIN; DELETE FROM airports; SELECT 1").await;
    cluster.program.signal(Signal::INT);
    let status = cluster.program.ended().await;
    assert!(status.success(), "{status}");
    for process in cluster.processes() {
        assert!(!is_running(process.pid));
    }
    let mut left = cluster.temp.path().read_dir().expect("it is ours");
    assert!(left.next().is_none());
}

#[tokio::test]
async fn nothing_outlives_the_program_if_it_is_killed() {
    let mut cluster = Cluster::start().await;
    cluster.program.signal(Signal::KILL);
    cluster.program.ended().await;
    for process in cluster.processes() {
        assert!(ends(process.pid), "{} does not end", process.pid);
    }
}

#[test]
fn a_mistake_is_one_line() {
    let temp = tempfile::tempdir().expect("there is room");
    for (path, args, code, told) in [
        ("/nowhere", &[][..], 1, "the Debian package `redis-server`"),
        (
            "/usr/bin",
            &["--listen", "0.0.0.0:80"],
            2,
            "--listen takes a loopback address",
        ),
        ("/usr/bin", &["--wrong"], 2, "unknown option `--wrong`"),
    ] {
        let mut cluster = cluster(temp.path());
        assert_refused(cluster.args(args).env("PATH", path), code, told);
    }
}
