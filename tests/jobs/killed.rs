//! Runs that are killed anywhere, with requests under way, and run again until all is done.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use blobcopy::jobs::{CopyJob, Outcome, Report, remove_scratch};
use blobcopy_simulator::Op;
use fastrand::Rng;

use super::{
    line::{Book, Line},
    seeds::{seeds, tried},
    stock,
    world::World,
};

/// More runs than a job may need once it is not killed any more.
const MOST_RUNS: u32 = 4;

/// One job, as its seed has it.
#[derive(Debug, Clone, Copy)]
struct Kind {
    far: bool,
    moves: bool,
    verify: bool,
    snapshots: bool,
    concurrency: usize,
}

impl Kind {
    fn random(rng: &mut Rng) -> Self {
        Self {
            far: rng.u8(..3) > 0,
            moves: rng.u8(..4) == 0,
            verify: rng.u8(..4) == 0,
            snapshots: rng.u8(..4) > 0,
            concurrency: rng.usize(1..12),
        }
    }

    /// The job of a new process.
    fn job(self, world: &World, line: Line) -> CopyJob {
        let (from, near, far) = world.through(line);
        let job = CopyJob::new(&from, if self.far { &far } else { &near })
            .largest_single(stock::SINGLE)
            .block_size(stock::BLOCK)
            .snapshot_sources(self.snapshots)
            .concurrency(self.concurrency)
            .verify(self.verify);
        if self.moves { job.move_sources() } else { job }
    }
}

#[test]
fn a_job_that_is_killed_anywhere_is_done_when_it_is_run_again() {
    let mut killed = 0;
    let seeds = seeds("BLOBCOPY_KILLED_JOBS", 100);
    for seed in seeds.clone() {
        killed += tried(seed, kill(seed));
    }
    println!("{killed} runs killed");
    assert!(seeds.end - seeds.start < 20 || killed >= seeds.end, "only {killed} runs were killed");
}

/// Kills the runs of a job; returns how many.
async fn kill(seed: u64) -> u64 {
    let rng = &mut Rng::with_seed(seed);
    let kind = Kind::random(rng);
    let pending = [0, 0, 30, 400, 20_000][rng.usize(..5)];
    let world =
        World::of(|builder| builder.seed(seed).copy_duration(Duration::from_millis(pending))).await;
    let count = rng.usize(4..16);
    stock::fill(&world.from(), rng, count).await;
    world.later();
    let sources = stock::whole(&world.from()).await;
    let to = if kind.far { world.far_to() } else { world.near_to() };
    let book = Arc::new(Book::default());

    let mut killed = 0;
    for _ in 0..rng.u64(1..5) {
        // A request is four steps.
        let line = Line::new(&world.sim, rng.u64(..), &book).cut_at(rng.u64(1..count as u64 * 24));
        let job = kind.job(&world, line.clone());
        let run = job.run().into_future();
        let was_cut = tokio::select! {
            biased;
            () = line.cut() => true,
            report = run => {
                // What is still under way of dead runs may have come in its way.
                report.expect("a report");
                false
            }
        };
        killed += u64::from(was_cut);
        if rng.bool() {
            book.settle().await;
        }
    }

    let mut report = Report::default();
    for run in 1.. {
        let job = kind.job(&world, Line::new(&world.sim, rng.u64(..), &book));
        report = job.run().await.expect("a report");
        if report.failures == 0 {
            break;
        }
        assert!(run < MOST_RUNS, "{kind:?} {report:?}");
    }
    book.settle().await;
    let copies = stock::whole(&to).await;
    assert_eq!(different(&sources, &copies), [""; 0], "{kind:?} {report:?}");
    let left = if kind.moves { BTreeMap::new() } else { sources.clone() };
    assert_eq!(stock::whole(&world.from()).await, left, "{kind:?}");

    if !kind.far && !kind.moves {
        assert_eq!(world.sim.copies().started(), sources.len() as u64, "{kind:?}");
    }
    if !kind.moves {
        assert_eq!(book.repeated(), [""; 0], "{kind:?}");
    }
    assert_eq!(stock::litter(&world.from()).await, [""; 0], "{kind:?}");
    if kind.moves || kind.verify {
        remove_scratch(&to).await.expect("removed");
    }
    assert_eq!(stock::litter(&to).await, [""; 0], "{kind:?}");

    world.counted();
    let job = kind.job(&world, Line::new(&world.sim, rng.u64(..), &book));
    let last = job.run().await.expect("a report");
    let outcome = if kind.moves { Outcome::Extra } else { Outcome::Same };
    assert_eq!(last.outcomes, [(outcome, sources.len() as u64)].into(), "{kind:?}");
    assert_eq!(world.counted(), [(Op::ListBlobs, 2)].into(), "{kind:?}");
    killed
}

/// The names of blobs that are not the same in both.
pub(super) fn different<T: PartialEq>(
    one: &BTreeMap<String, T>,
    other: &BTreeMap<String, T>,
) -> Vec<String> {
    let names = one.keys().chain(other.keys().filter(|name| !one.contains_key(*name)));
    names.filter(|name| one.get(*name) != other.get(*name)).cloned().collect()
}
