//! A load balancer in front of the nodes, with the configuration that the project recommends.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use rustix::process::Signal;
use tempfile::TempDir;
use tokio::net::TcpStream;

use crate::node::Node;
use crate::place::Place;
use crate::process::Process;
use crate::wait::until;

/// The port of the front.
const PORT: u16 = 9000;

/// A proxy of the test's own.
pub(crate) struct Front {
    pub(crate) address: SocketAddr,
    process: Process,
    folder: TempDir,
    file: &'static str,
}

/// Reads a file of `session-cluster/deploy`, with these addresses in place of those in it.
fn configuration(file: &str, at: SocketAddr, nodes: &[SocketAddr]) -> String {
    let deploy = Path::new(env!("CARGO_MANIFEST_DIR")).join("../session-cluster/deploy");
    let mut text = fs::read_to_string(deploy.join(file)).unwrap();
    text = text.replace("listen 8080;", &format!("listen {at};"));
    text = text.replace("bind :8080", &format!("bind {at}"));
    for number in 1..=3 {
        let there = format!("10.0.0.{number}:3000");
        assert!(text.contains(&there), "{file}");
        // More than three nodes share the three lines.
        let ours = nodes.iter().skip(number - 1).step_by(3);
        let ours: Vec<_> = ours.map(ToString::to_string).collect();
        text = text.replace(&there, &ours.join(";\n    server "));
    }
    text
}

impl Front {
    pub(crate) async fn nginx(place: Place, file: &'static str, nodes: &[&Node]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().display();
        // Its workers may read the folder.
        let main = format!(
            "daemon off; user root; worker_processes 1; pid {path}/pid; events {{ worker_connections 4096; }}
             http {{
                 access_log off; client_body_temp_path {path}/body; proxy_temp_path {path}/proxy;
                 fastcgi_temp_path {path}/fastcgi; uwsgi_temp_path {path}/uwsgi; scgi_temp_path {path}/scgi;
                 include {path}/site.conf;
             }}"
        );
        fs::write(folder.path().join("main.conf"), main).unwrap();
        let mut command = Command::new("nginx");
        command.args(["-e", "stderr", "-p"]).arg(folder.path());
        command.arg("-c").arg(folder.path().join("main.conf"));
        Self::start(place, file, nodes, folder, command).await
    }

    pub(crate) async fn haproxy(place: Place, file: &'static str, nodes: &[&Node]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new("haproxy");
        command
            .args(["-db", "-f"])
            .arg(folder.path().join("site.conf"));
        Self::start(place, file, nodes, folder, command).await
    }

    async fn start(
        place: Place,
        file: &'static str,
        nodes: &[&Node],
        folder: TempDir,
        mut command: Command,
    ) -> Self {
        let address = place.port(PORT);
        // They are in a folder that not everybody's path has.
        let path = std::env::var("PATH").unwrap_or_default();
        command.env("PATH", format!("{path}:/usr/sbin"));
        write(&folder, file, address, nodes);
        let front = Self {
            address,
            process: Process::start(&mut command),
            folder,
            file,
        };
        until("the front listens", async || {
            TcpStream::connect(address).await.is_ok()
        })
        .await;
        front
    }

    /// Leads to these nodes from now on. Requests under way go on. For nginx.
    pub(crate) fn lead_to(&self, nodes: &[&Node]) {
        write(&self.folder, self.file, self.address, nodes);
        self.process.signal(Signal::HUP);
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.process.dismiss();
    }
}

fn write(folder: &TempDir, file: &str, at: SocketAddr, nodes: &[&Node]) {
    let nodes: Vec<_> = nodes.iter().map(|node| node.address).collect();
    fs::write(
        folder.path().join("site.conf"),
        configuration(file, at, &nodes),
    )
    .unwrap();
}
