//! Which seeds a test tries, and that it names the one that fails.

use std::ops::Range;

/// The seeds of a test: 0 to `few`, or to the number in the environment variable `count`; or only
/// that of `BLOBCOPY_SEED`.
pub(crate) fn seeds(count: &str, few: u64) -> Range<u64> {
    match number("BLOBCOPY_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number(count).unwrap_or(few),
    }
}

pub(crate) fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} is a number, not {text:?}")))
}

/// Tries one seed, on a virtual time of its own, so that it is the same alone. Names the seed if
/// it fails.
pub(crate) fn tried<T>(seed: u64, world: impl Future<Output = T>) -> T {
    let _named = Named(seed);
    // The client's jitter and ids.
    fastrand::seed(seed);
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().start_paused(true).build().expect("a runtime");
    runtime.block_on(world)
}

struct Named(u64);

impl Drop for Named {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let thread = std::thread::current();
            let test = thread.name().unwrap_or_default();
            eprintln!("BLOBCOPY_SEED={} cargo test --test main {test} repeats this", self.0);
        }
    }
}
