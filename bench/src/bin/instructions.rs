//! Sends requests to one server of row 4, to be run under callgrind: see `cargo xtask instructions`.

use session_bench::{request, runtime};

fn main() {
    let runtime = runtime();
    let _entered = runtime.enter();
    match std::env::args().nth(1) {
        None => request::names(&runtime)
            .iter()
            .for_each(|name| println!("{name}")),
        Some(server) => {
            let server = server.parse().expect("it is a number");
            println!("{}", request::repeat(&runtime, server));
        }
    }
}
