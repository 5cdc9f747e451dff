//! What the simulator can do, so that it is never what another measurement measures:
//! `cargo bench --bench simulator`.
//!
//! Requests travel over loopback, on connections that are kept, from a generator that has them ready
//! beforehand. Where npm is there, Azurite gets the same requests in the same run. A word as argument
//! chooses the rows that contain it: `cargo bench --bench simulator -- properties`.

// The only place that reads the time is meant for the library.
#![allow(clippy::disallowed_methods)]
#![allow(clippy::unwrap_used, reason = "a bench that cannot go on should stop and say where")]

mod load;
mod processor;
mod requests;
mod sparse;
mod stock;

/// Of what the tests stand on, Azurite, and not all that it can do.
#[allow(dead_code)]
#[path = "../../tests/support"]
mod support {
    pub(crate) mod azurite;
    pub(crate) mod install;
}

use std::{env, time::Instant};

use blobcopy::simulator::Simulator;
use tokio::runtime::{Builder, Runtime};

use load::{Load, Rate};
use stock::Stock;
use support::azurite::Azurite;

/// Connections, and how many requests each has on its way at a time.
const LOADS: [(usize, usize); 2] = [(32, 16), (64, 1)];
const TARGET: f64 = 30_000.0;

struct Run {
    filter: Option<String>,
    /// Whether the figures are wanted, or only that everything runs.
    measured: bool,
}

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let measured = arguments.iter().any(|argument| argument == "--bench");
    let filter = arguments.into_iter().find(|argument| !argument.starts_with('-'));
    let run = Run { filter, measured };

    run.properties("Get Blob Properties, 10 blobs", 10);
    run.properties("Get Blob Properties, 1,000,000 blobs", 1_000_000);
    run.azurite("Get Blob Properties, 10 blobs, Azurite");
    run.list("List Blobs of 5,000 entries");
    run.sparse("8 TiB page blob with 100 snapshots");
}

impl Run {
    fn wants(&self, name: &str) -> bool {
        self.filter.as_ref().is_none_or(|filter| name.contains(filter.as_str()))
    }

    fn requests(&self, count: usize) -> usize {
        if self.measured { count } else { 1000 }
    }

    fn properties(&self, name: &str, blobs: usize) {
        if !self.wants(name) {
            return;
        }
        let blobs = if self.measured { blobs } else { blobs.min(1000) };
        let runtime = runtime();
        let sim = runtime.block_on(Simulator::builder().accept_bearer(|_| true).start()).unwrap();
        runtime.block_on(Stock::of(&sim).block_blobs(blobs));
        let endpoint = sim.endpoint("devstoreaccount1");
        let (address, _) = endpoint.strip_prefix("http://").unwrap().split_once('/').unwrap();
        self.load(name, address, blobs, 400_000, Some(TARGET));
    }

    fn azurite(&self, name: &str) {
        if !self.wants(name) {
            return;
        }
        let azurite = match Azurite::start() {
            Ok(azurite) => azurite,
            Err(trouble) => return println!("{name}: left out ({trouble})"),
        };
        for request in requests::stocking(azurite.address(), 10) {
            load::once(azurite.address(), &request);
        }
        self.load(name, azurite.address(), 10, 20_000, None);
    }

    /// The same requests to whatever serves `address`.
    fn load(&self, name: &str, address: &str, blobs: usize, count: usize, target: Option<f64>) {
        for (connections, depth) in LOADS {
            let requests = requests::properties(address, blobs, connections * depth);
            let mut load = Load::new(address, connections, depth, &requests);
            let turns = if self.measured { 5 } else { 1 };
            let rates = (0..turns).map(|_| load.turn(self.requests(count)));
            let best = rates.max_by(|a, b| a.per_second.total_cmp(&b.per_second)).unwrap();
            let Rate { per_second, processor } = best;
            let aim = target.map_or(String::new(), |target| format!(", target {target:.0}"));
            println!(
                "{name}: {per_second:.0} requests/s{aim} ({connections} connections, {depth} on \
                 the way on each; {:.1} us of processor for each in this process)",
                processor.as_secs_f64() * 1e6
            );
        }
    }

    fn list(&self, name: &str) {
        if !self.wants(name) {
            return;
        }
        let runtime = runtime();
        let sim = Simulator::builder().accept_bearer(|_| true).build();
        let stock = Stock::of(&sim);
        runtime.block_on(async {
            stock.block_blobs(if self.measured { 100_000 } else { 1000 }).await;
            let mut best = f64::INFINITY;
            for _ in 0..if self.measured { 20 } else { 1 } {
                let begun = Instant::now();
                let Some(bytes) = stock.list().await else {
                    return println!("{name}: not modelled yet");
                };
                best = best.min(begun.elapsed().as_secs_f64());
                assert!(bytes > 1000);
            }
            println!("{name}: {:.2} ms, target 10", best * 1e3);
        });
    }

    fn sparse(&self, name: &str) {
        if self.wants(name) {
            runtime().block_on(sparse::measure(name));
        }
    }
}

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}
