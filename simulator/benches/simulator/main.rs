//! How fast the simulator is, to make sure that it does not distort other measurements: `cargo
//! bench --bench simulator`.
//!
//! Requests travel over loopback, on kept-alive connections, from a generator that prepares them
//! beforehand. If npm is available, Azurite gets the same requests in the same run. An argument
//! selects the rows that contain it: `cargo bench --bench simulator -- properties`.

// The lint keeps the library from reading the time; a benchmark must read it.
#![allow(clippy::disallowed_methods)]
#![allow(clippy::unwrap_used, reason = "a bench that cannot go on should stop and say where")]

mod load;
mod processor;
mod properties;
mod requests;
mod sparse;
mod stock;

/// The part of the test support that Azurite needs.
#[allow(dead_code)]
#[path = "../../tests/support"]
mod support {
    pub(crate) mod azurite;
    pub(crate) mod install;
}

use std::{env, time::Instant};

use blobcopy_simulator::Simulator;
use tokio::runtime::{Builder, Runtime};

use load::Load;
use stock::Stock;
use support::azurite::Azurite;

/// The number of connections, and of requests in flight on each.
const LOADS: [(usize, usize); 2] = [(32, 16), (64, 1)];
const TARGET: f64 = 30_000.0;

struct Run {
    filter: Option<String>,
    /// Whether to measure, or only to check that everything runs.
    measured: bool,
}

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let measured = arguments.iter().any(|argument| argument == "--bench");
    let filter = arguments.into_iter().find(|argument| !argument.starts_with('-'));
    let run = Run { filter, measured };

    // First, before other rows enlarge this process's memory.
    run.sparse("8 TiB page blob with 100 snapshots");
    run.properties("Get Blob Properties");
    run.azurite("Get Blob Properties, 10 blobs, Azurite");
    run.list("List Blobs of 5,000 entries");
}

impl Run {
    fn wants(&self, name: &str) -> bool {
        self.filter.as_ref().is_none_or(|filter| name.contains(filter.as_str()))
    }

    fn requests(&self, count: usize) -> usize {
        if self.measured { count } else { 1000 }
    }

    fn properties(&self, name: &str) {
        if self.wants(name) {
            properties::measure(self, name);
        }
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
        for (connections, depth) in LOADS {
            let requests = requests::properties(azurite.address(), 10, 10, connections * depth);
            let mut load = Load::new(azurite.address(), connections, depth, &requests);
            let turns = if self.measured { 5 } else { 1 };
            let rates = (0..turns).map(|_| load.turn(self.requests(20_000)).per_second);
            let best = rates.fold(0.0, f64::max);
            println!(
                "{name}: {best:.0} requests/s ({connections} connections, {depth} on the way)"
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
