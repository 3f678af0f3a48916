//! The configurations in `session-cluster/deploy` are accepted by the proxies that they are for.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn files(folder: &str) -> Vec<PathBuf> {
    let deploy = Path::new(env!("CARGO_MANIFEST_DIR")).join("../session-cluster/deploy");
    let files = fs::read_dir(deploy.join(folder)).expect("it is there");
    let files: Vec<_> = files.map(|file| file.expect("it reads").path()).collect();
    assert!(files.len() > 1, "{folder} is not where it was");
    files
}

/// Fails unless the command accepts the file.
fn assert_accepts(command: &mut Command, file: &Path) {
    // Debian puts servers into a folder that is not on every user's path.
    let path = std::env::var("PATH").unwrap_or_default();
    command.env("PATH", format!("{path}:/usr/sbin"));
    let output = command.output();
    let output = output.unwrap_or_else(|error| panic!("{command:?} did not start: {error}"));
    assert!(
        output.status.success(),
        "{}: {}{}",
        file.display(),
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn nginx_accepts_its_configurations() {
    for file in files("nginx") {
        let folder = tempfile::tempdir().expect("there is room");
        let path = folder.path().display();
        let main = format!(
            "pid {path}/pid; events {{}}
             http {{
                 access_log off; client_body_temp_path {path}/body; proxy_temp_path {path}/proxy;
                 fastcgi_temp_path {path}/fastcgi; uwsgi_temp_path {path}/uwsgi; scgi_temp_path {path}/scgi;
                 include {};
             }}",
            fs::canonicalize(&file).expect("it is there").display()
        );
        let main_file = folder.path().join("main.conf");
        fs::write(&main_file, main).expect("there is room");
        let mut nginx = Command::new("nginx");
        nginx.args(["-t", "-q", "-e", "stderr", "-p"]).arg(folder.path());
        assert_accepts(nginx.arg("-c").arg(main_file), &file);
    }
}

#[test]
fn haproxy_accepts_its_configurations() {
    for file in files("haproxy") {
        // A warning is a mistake, too.
        let mut haproxy = Command::new("haproxy");
        assert_accepts(haproxy.args(["-c", "-q", "-dW", "-f"]).arg(&file), &file);
    }
}
