//! Three of ten requests fail, in every way that the simulator and a gateway know.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use blobcopy::{
    BlobContainerClient,
    jobs::{CopyJob, Difference, JobEvent, Outcome},
};
use blobcopy_simulator::{Faults, Op, SeenRequest};
use fastrand::Rng;

use super::{
    killed::different,
    line::{Book, Line, sleep},
    seeds::{seeds, tried},
    stock::{self, Whole},
    world::World,
};

const SECOND: Duration = Duration::from_secs(1);

/// How many of a thousand requests a gateway answers; the rest of the three of ten are below.
const GATEWAY: u32 = 30;

fn fail(faults: &Faults) {
    faults.on_any().answer(503, "ServerBusy").chance(0.04);
    faults.on_any().answer(503, "ServerBusy").retry_after(2 * SECOND).chance(0.03);
    faults.on_any().answer(500, "InternalError").chance(0.04);
    faults.on_any().answer(429, "TooManyRequests").chance(0.03);
    faults.on_any().reset().chance(0.06);
    faults.on_any().lose_answer().chance(0.06);
    faults.on_any().land_late(3 * SECOND).chance(0.04);
    faults.on_any().stall(400 * SECOND).chance(0.01);
    faults.on_any().truncate_body(20).chance(0.03);
    faults.on_any().garble_body().chance(0.03);
}

#[test]
fn with_three_of_ten_requests_failing_nothing_is_wrong_or_told_wrongly() {
    let mut all = Told::default();
    let seeds = seeds("BLOBCOPY_ADVERSE_JOBS", 30);
    for seed in seeds.clone() {
        let told = tried(seed, adverse(seed));
        all.failed += told.failed;
        all.stopped += told.stopped;
        all.requests += told.requests;
        all.retries += told.retries;
    }
    println!("{all:?}");
    assert_eq!((all.failed, all.stopped), (0, 0), "no fault lasts");
    let few = seeds.end - seeds.start < 10;
    assert!(few || all.retries * 4 > all.requests, "too few requests failed");
}

/// What the runs with faults have told.
#[derive(Debug, Default)]
struct Told {
    failed: u64,
    /// Runs that ended with an error.
    stopped: u64,
    requests: u64,
    retries: u64,
}

async fn adverse(seed: u64) -> Told {
    let mut all = Told::default();
    let rng = &mut Rng::with_seed(seed);
    let far = rng.u8(..3) > 0;
    let duration = Duration::from_millis([0, 500, 20_000][rng.usize(..3)]);
    let world = World::of(|builder| builder.seed(seed).copy_duration(duration)).await;
    stock::fill(&world.from(), rng, 25).await;
    world.later();
    let sources = stock::whole(&world.from()).await;
    let book = Arc::new(Book::default());
    let job = |line: Line| {
        let (from, near, far_to) = world.through(line);
        let job = CopyJob::new(&from, if far { &far_to } else { &near });
        job.largest_single(stock::SINGLE).block_size(stock::BLOCK)
    };
    let to = if far { world.far_to() } else { world.near_to() };

    fail(&world.sim.faults());
    world.sim.copies().fail_next(0, "500 OperationCancelled \"it failed\"");
    let bad = job(Line::new(&world.sim, seed, &book).gateway(GATEWAY));
    let (mut told, mut left_behind) = (BTreeMap::new(), BTreeSet::new());
    let report = bad.run().on_event(|event| {
        if let JobEvent::Finished(blob) = event {
            let before = told.insert(blob.name.clone(), blob.outcome);
            assert_eq!(before, None, "{} is told twice", blob.name);
            left_behind.extend(blob.left_behind.as_ref().map(|_| blob.name.clone()));
        }
    });
    let report = report.await;
    check_told(&world, &sources, &to, &told).await;
    // With what landed late after the run.
    let seen = world.sim.requests();
    match &report {
        Ok(report) => {
            assert_eq!(told.len(), sources.len(), "{report:?}");
            all.failed += report.failures;
            (all.requests, all.retries) = (report.requests, report.retries);
        }
        // A listing could not go on.
        Err(_) => all.stopped += 1,
    }

    let good = job(Line::new(&world.sim, seed, &book));
    let report = good.run().await.expect("a report");
    assert_eq!(report.failures, 0, "{report:?}");
    let copies = stock::whole(&to).await;
    assert_eq!(different(&sources, &copies), [""; 0], "{report:?}");
    // A snapshot that comes when all is over cannot be known; any other is told.
    for name in stock::litter(&world.from()).await {
        let is_known = left_behind.contains(&name) || may_be_late(&seen, &name);
        assert!(is_known, "a snapshot of {name} is left");
    }
    let last = good.run().await.expect("a report");
    assert_eq!(last.outcomes, [(Outcome::Same, sources.len() as u64)].into());

    // All is the same, and is not said to differ.
    fail(&world.sim.faults());
    if let Ok(check) = bad.check().content(true).await {
        let wrong = |difference| difference != Difference::Unverifiable;
        let wrong: Vec<_> =
            check.differences.iter().filter(|line| wrong(line.difference)).collect();
        assert!(wrong.is_empty(), "{wrong:?}");
    }
    world.sim.faults().clear();
    all
}

/// Whether the answer to a snapshot of a blob was lost: it may have been taken late.
fn may_be_late(seen: &[SeenRequest], name: &str) -> bool {
    seen.iter().any(|request| {
        request.op() == Op::SnapshotBlob && request.blob() == Some(name) && !request.delivered()
    })
}

/// Ends all faults, and compares what was told of each blob with the truth.
async fn check_told(
    world: &World,
    sources: &BTreeMap<String, Whole>,
    to: &BlobContainerClient,
    told: &BTreeMap<String, Outcome>,
) {
    world.sim.faults().clear();
    // What lands late is over.
    sleep(60 * SECOND).await;
    let copies = stock::whole(to).await;
    for (name, outcome) in told {
        match outcome {
            Outcome::Copied | Outcome::Adopted | Outcome::Same => {
                assert_eq!(copies.get(name), Some(&sources[name]), "{name}, told as {outcome}");
            }
            Outcome::Failed => {}
            _ => panic!("{name} is told as {outcome}"),
        }
    }
}
