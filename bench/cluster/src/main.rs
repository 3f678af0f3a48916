//! The store's work for a cluster, and a simulation of large ones.

mod hop;
mod redis_server;

use std::net::SocketAddr;

use session_bench::child;
use session_bench::memory::HOLDERS;
use session_cluster::{Answer, Beat, Directory as _, RedisDirectory, Report, Standing};
use session_core::NodeTag;

use redis_server::RedisServer;

/// The numbers of nodes that are measured.
const SIZES: [usize; 4] = [3, 10, 100, 1_000];
/// At least as many renewals are measured.
const RENEWALS: usize = 3_000;
/// The length of a sealed card.
const CARD: [u8; 48] = [b'c'; 48];
/// The simulated clusters, each with its period in seconds.
const CLUSTERS: [(usize, f64); 4] = [(10, 5.0), (100, 5.0), (1_000, 5.0), (1_000, 15.0)];
/// The number of sessions of each simulated cluster.
const SESSIONS: f64 = 1e8;
/// The bytes that a live session with a counter takes, from row 6.
const HOLDER: usize = 1;

/// The cost of one renewal, with this many nodes.
#[derive(Clone, Copy)]
struct Cost {
    nodes: usize,
    /// Microseconds inside the script.
    in_script: f64,
    /// Microseconds of the server's process.
    processor: f64,
    bytes_in: f64,
    bytes_out: f64,
    /// Bytes in the store, for each node.
    stored: f64,
}

/// A node, as its keeper is towards the store.
struct Node {
    tag: NodeTag,
    address: SocketAddr,
    beat: Beat,
    last: Option<Answer>,
}

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = runtime.expect("a runtime can be built");
    println!("\n### 9. The store's work for a cluster\n");
    println!("One renewal, on a Redis of the bench's own:\n");
    println!(
        "| nodes | us in the script | us of the process | bytes in | bytes out | bytes stored per node |"
    );
    println!("|---:|---:|---:|---:|---:|---:|");
    let mut costs = Vec::new();
    for nodes in SIZES {
        let cost = runtime.block_on(measure(nodes));
        let Cost {
            in_script,
            processor,
            bytes_in,
            bytes_out,
            stored,
            ..
        } = cost;
        println!(
            "| {nodes} | {in_script:.0} | {processor:.0} | {bytes_in:.0} | {bytes_out:.0} | {stored:.0} |"
        );
        costs.push(cost);
    }
    simulate(&costs);
    let requests = runtime.block_on(hop::measure());
    println!("\nRequests cost the store nothing, and the nodes:\n");
    println!("| request | |");
    println!("|---|---:|");
    println!(
        "| what a layer that does nothing adds to a router | {:.0} ns |",
        requests.any_layer
    );
    println!(
        "| what the cluster's adds beyond that, if the session is here | {:.0} ns |",
        requests.local
    );
    println!(
        "| over HTTP to the node that has the session, client included | {:.1} us of processor time |",
        requests.direct
    );
    println!(
        "| to another node, which sends it on | {:.1} us of processor time |",
        requests.forwarded
    );
}

/// Prints the store's work and the nodes' memory in large clusters, from the measured costs.
fn simulate(costs: &[Cost]) {
    let session = child::allocated(HOLDER);
    println!(
        "\n{SESSIONS:.0e} sessions of {session:.0} bytes ({}):\n",
        HOLDERS[HOLDER].name()
    );
    println!(
        "| nodes | period | operations/s | bytes/s | share of a core | store | memory of a node's sessions |"
    );
    println!("|---:|---:|---:|---:|---:|---:|---:|");
    for (nodes, period) in CLUSTERS {
        let cost = costs.iter().find(|cost| cost.nodes == nodes);
        let cost = cost.expect("all of them are measured");
        let operations = nodes as f64 / period;
        println!(
            "| {nodes} | {period} s | {operations:.0} | {:.0} kB | {:.2} % | {:.0} kB | {:.0} MB |",
            operations * (cost.bytes_in + cost.bytes_out) / 1e3,
            operations * cost.processor / 1e6 * 100.0,
            cost.stored * nodes as f64 / 1e3,
            SESSIONS / nodes as f64 * session / 1e6,
        );
    }
}

async fn measure(size: usize) -> Cost {
    let server = RedisServer::start();
    let store = RedisDirectory::open(&server.url()).expect("it is a URL");
    let mut nodes: Vec<_> = (0..size).map(Node::new).collect();
    for node in &mut nodes {
        node.renew(&store).await;
    }
    // Each hears of those that came after it.
    for node in &mut nodes {
        node.renew(&store).await;
    }
    let before = server.info();
    let rounds = RENEWALS.div_ceil(size);
    for _ in 0..rounds {
        for node in &mut nodes {
            node.renew(&store).await;
        }
    }
    let after = server.info();
    let renewals = (rounds * size) as f64;
    Cost {
        nodes: size,
        in_script: (after.in_scripts() - before.in_scripts()) / renewals,
        processor: (after.processor() - before.processor()) / renewals,
        bytes_in: (after.bytes_in() - before.bytes_in()) / renewals,
        bytes_out: (after.bytes_out() - before.bytes_out()) / renewals,
        stored: server.stored() / size as f64,
    }
}

impl Node {
    fn new(number: usize) -> Self {
        let [.., high, low] = number.to_be_bytes();
        Self {
            tag: NodeTag::random(),
            address: SocketAddr::from(([10, 0, high, low], 3000)),
            beat: Beat::default(),
            last: None,
        }
    }

    /// Claims the tag at first, renews it afterwards, as each node does once in a period.
    async fn renew(&mut self, store: &RedisDirectory) {
        self.beat.0 += 1;
        let last = self.last.as_ref();
        let report = Report {
            tag: self.tag,
            claims: last.is_none(),
            address: self.address,
            beat: self.beat,
            card: &CARD,
            load: 1_000_000,
            read: last.map(|last| last.read),
            seen: last.map(|last| &last.seen),
        };
        let answer = store.sync(report).await.expect("the server answers");
        assert_eq!(answer.standing, Standing::Held);
        self.last = Some(answer);
    }
}
