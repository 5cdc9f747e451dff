//! What is tested from outside the simulator, all in one binary.

mod conformance;
#[allow(dead_code, reason = "the binary's own part, of which the tests use most")]
#[path = "../src/live_check/mod.rs"]
mod live_check;
#[path = "live_check.rs"]
mod live_check_tests;
mod on_sdks;
#[allow(dead_code, reason = "the tests of the library use the rest")]
mod support;
mod virtual_time;
