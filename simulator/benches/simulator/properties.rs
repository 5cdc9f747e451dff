//! Compares Get Blob Properties with few blobs stored and with a million.
//!
//! The number of stored blobs and the number of requested blobs are separate: blobs that are
//! requested repeatedly stay in the processor's caches. The rows of a pair request equally many
//! blobs and differ in how many are stored. Their turns alternate, so other load on the machine
//! affects both alike, and each turn is compared with its neighbour.
//!
//! One difference remains: blobs that are all that is stored lie side by side in memory; those
//! picked out of a million do not.

use blobcopy_simulator::Simulator;
use tokio::runtime::Runtime;

use crate::{
    LOADS, Run, TARGET,
    load::{Load, Rate},
    requests, runtime,
    stock::Stock,
};

const MILLION: usize = 1_000_000;
/// The number of requested blobs; the first row of a pair stores no others.
const ASKED: [usize; 2] = [10, 512];
const TURNS: usize = 9;
const REQUESTS: usize = 150_000;

/// A simulator with this many blobs, and the runtime that serves it.
struct Stocked {
    blobs: usize,
    sim: Simulator,
    runtime: Runtime,
}

/// Its turns at one load.
struct Row {
    name: String,
    load: Load,
    rates: Vec<Rate>,
}

pub(crate) fn measure(run: &Run, name: &str) {
    let stocked = |blobs| Stocked::new(if run.measured { blobs } else { 1000.min(blobs) });
    let (million, few) = (stocked(MILLION), ASKED.map(stocked));
    for (connections, depth) in LOADS {
        println!("{name}, {connections} connections, {depth} on the way on each:");
        for (asked, few) in ASKED.into_iter().zip(&few) {
            let row = |stocked: &Stocked| stocked.row(asked, connections, depth);
            let mut pair = [row(few), row(&million)];
            for _ in 0..if run.measured { TURNS } else { 1 } {
                for row in &mut pair {
                    row.rates.push(row.load.turn(run.requests(REQUESTS)));
                }
            }
            pair.iter().for_each(Row::print);
            compare(&pair);
        }
    }
}

impl Stocked {
    fn new(blobs: usize) -> Self {
        let runtime = runtime();
        let sim = runtime.block_on(Simulator::builder().accept_bearer(|_| true).start()).unwrap();
        runtime.block_on(Stock::of(&sim).block_blobs(blobs));
        Self { blobs, sim, runtime }
    }

    fn row(&self, asked: usize, connections: usize, depth: usize) -> Row {
        let _entered = self.runtime.enter();
        let endpoint = self.sim.endpoint("devstoreaccount1");
        let address = endpoint.authority();
        let requests = requests::properties(address, self.blobs, asked, connections * depth);
        Row {
            name: format!("{asked} of {} blobs", self.blobs),
            load: Load::new(address, connections, depth, &requests),
            rates: Vec::new(),
        }
    }
}

impl Row {
    fn print(&self) {
        let rates = self.rates.iter().map(|rate| rate.per_second);
        let processor = self.rates.iter().map(|rate| rate.processor.as_secs_f64() * 1e6);
        let best = rates.clone().fold(0.0, f64::max);
        let least = processor.clone().fold(f64::INFINITY, f64::min);
        println!(
            "  {}: {best:.0} requests/s at best, {:.0} in the median, target {TARGET:.0}; \
             {least:.1} us of processor for each at best, {:.1} in the median",
            self.name,
            median(rates),
            median(processor),
        );
    }
}

/// The second row relative to the first: 1.00 is equally fast.
fn compare([few, many]: &[Row; 2]) {
    let turns = || few.rates.iter().zip(&many.rates);
    let slower = turns().map(|(few, many)| few.per_second / many.per_second);
    let dearer =
        turns().map(|(few, many)| many.processor.as_secs_f64() / few.processor.as_secs_f64());
    println!(
        "  turn by turn, a request takes {:.3} times as long and {:.3} times the processor (medians)",
        median(slower),
        median(dearer)
    );
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
