//! Tests that compare the simulator with other programs, which need more than Rust.

#![deny(dead_code, reason = "a test that no `tests!` lists would not run")]

#[macro_use]
#[allow(dead_code, reason = "the tests of the library use the rest")]
mod support;

mod conformance;
#[allow(dead_code, reason = "the binary's own part, of which the tests use the cases")]
#[path = "../src/live_check/mod.rs"]
mod live_check;
mod on_sdks;

use std::process::ExitCode;

fn main() -> ExitCode {
    const FOLDERS: &[&str] = &[
        concat!(env!("CARGO_MANIFEST_DIR"), "/tests/conformance"),
        concat!(env!("CARGO_MANIFEST_DIR"), "/tests/on_sdks"),
    ];
    let tests = [conformance::tests(), on_sdks::all_tests()];
    support::referees::run(FOLDERS, tests.into_iter().flatten().collect())
}
