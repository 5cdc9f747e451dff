//! Tests of the simulator's public API, in one binary. `referees.rs` has the tests that need more
//! than Rust.

#[allow(dead_code, reason = "the binary's own part, of which the tests use most")]
#[path = "../src/live_check/mod.rs"]
mod live_check;
#[path = "live_check.rs"]
mod live_check_tests;
#[cfg(all(unix, feature = "https"))]
mod program;
mod virtual_time;
