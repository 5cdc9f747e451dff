//! Copies under faults: lost answers, errors of every kind, rivals and changing sources, from a
//! seed and on virtual time. Whatever happens, the client's results must be true.
//!
//! The truth is what the simulator answers to requests without faults ([`truth`]); the client
//! reaches it through a [`door`] that loses, delays and corrupts. Each [`lane`] makes one copy
//! after another into its own destination, next to a [`rival`].
//!
//! `BLOBCOPY_CHAOS_SEEDS=2000` runs that many seeds, and `BLOBCOPY_CHAOS_SEED=17` runs one of them
//! and prints everything that happened. `.ci/long` has the command.

mod door;
mod faults;
mod judge;
mod lane;
mod rival;
mod tally;
mod truth;
mod world;

use std::{
    env,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use self::{tally::Tally, world::World};

/// The number that `cargo test` runs.
const SEEDS: u64 = 50;

#[test]
fn whatever_happens_to_a_copy_the_truth_is_told() {
    if let Some(seed) = number("BLOBCOPY_CHAOS_SEED") {
        let run = run(seed);
        println!("{}", run.log.join("\n"));
        assert!(run.wrong.is_empty(), "seed {seed}:\n{}", run.wrong.join("\n"));
        return;
    }
    let seeds = number("BLOBCOPY_CHAOS_SEEDS").unwrap_or(SEEDS);
    let (next, done) = (AtomicU64::new(0), Mutex::new((Tally::default(), Vec::new())));
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds {
                        break;
                    }
                    let run = run(seed);
                    let mut done = done.lock().expect("no thread panics while it holds it");
                    done.0.add(&run.tally);
                    done.1.extend(run.wrong.into_iter().map(|what| (seed, what)));
                }
            });
        }
    });
    let (tally, wrong) = done.into_inner().expect("no thread panics while it holds it");
    println!("{seeds} seeds\n{tally}");
    for (seed, what) in wrong.iter().take(20) {
        println!("seed {seed}: {what}");
        println!("  BLOBCOPY_CHAOS_SEED={seed} cargo test --test main chaos -- --nocapture");
    }
    assert!(wrong.is_empty(), "{} untruths, the first of them above", wrong.len());
    if seeds >= SEEDS {
        let missing = tally.missing();
        assert!(missing.is_empty(), "never happened: {missing:?}");
    }
}

fn number(variable: &str) -> Option<u64> {
    let text = env::var(variable).ok().filter(|text| !text.is_empty())?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} must be a number, not {text:?}")))
}

/// The result of one seed.
struct Run {
    tally: Tally,
    wrong: Vec<String>,
    log: Vec<String>,
}

fn run(seed: u64) -> Run {
    // The client's jitter and ids are derived from this.
    fastrand::seed(seed);
    let ran = catch_unwind(AssertUnwindSafe(|| {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_time().start_paused(true).build().expect("a runtime");
        runtime.block_on(World::run(seed))
    }));
    ran.unwrap_or_else(|_| Run {
        tally: Tally::default(),
        wrong: vec!["panicked; the message is above".to_owned()],
        log: Vec::new(),
    })
}
