//! Runs a property for the required number of cases.

use std::fmt::Debug;

use proptest::{
    strategy::Strategy,
    test_runner::{Config, RngSeed, TestRunner},
};

/// The default seed of the cases.
const SEED: u64 = 2026;

/// Runs `check` with `count` values, or as many as `PROPTEST_CASES` says: the same in every run,
/// unless `PROPTEST_RNG_SEED` selects others.
pub(super) fn cases<T: Debug>(values: impl Strategy<Value = T>, count: u32, check: impl Fn(T)) {
    let given = std::env::var("PROPTEST_CASES").ok().and_then(|count| count.parse().ok());
    let chosen = std::env::var_os("PROPTEST_RNG_SEED").is_some();
    let default = Config::default();
    let config = Config {
        rng_seed: if chosen { default.rng_seed } else { RngSeed::Fixed(SEED) },
        cases: given.unwrap_or(count),
        failure_persistence: None,
        // A failing case prints its input; shrinking it takes too long.
        max_shrink_iters: 200,
        ..default
    };
    let ran = TestRunner::new(config).run(&values, |value| {
        check(value);
        Ok(())
    });
    if let Err(error) = ran {
        panic!("{error}");
    }
}

/// Runs a future to its end, on paused time.
pub(super) fn on_paused_time(future: impl Future<Output = ()>) {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().start_paused(true).build();
    runtime.expect("a runtime").block_on(future);
}
