//! What a request costs, as a ratio to a floor: `cargo bench --bench request_path`.
//!
//! The floor is measured in the same run, in alternating turns, so that other load on the machine
//! affects both alike. `best` compares the fastest turns of both; `median` is the median of the
//! ratios of neighbouring turns.
//!
//! Times are CPU times of the client's thread. An argument selects the rows that contain it: `cargo
//! bench --bench request_path -- loopback`.

#![allow(clippy::unwrap_used, reason = "a bench that cannot go on should stop and say where")]

mod answers;
mod clients;
mod listing;
mod loopback;
mod measure;
mod phases;
mod server;
mod start_and_poll;

use std::env;

use measure::Report;

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if arguments.first().is_some_and(|first| first == server::ARGUMENT) {
        return server::run();
    }
    // `cargo test --benches` only checks that it runs.
    let measured = arguments.iter().any(|argument| argument == "--bench");
    let filter = arguments.into_iter().find(|argument| !argument.starts_with('-'));
    let report = Report::new(filter, measured);

    report.heading();
    phases::signing(&report);
    phases::building(&report);
    phases::parsing(&report);
    listing::parsing(&report);
    start_and_poll::canned(&report);
    start_and_poll::simulated(&report);
    loopback::get_blob_properties(&report);
    loopback::poll(&report);
    loopback::copy_blob(&report);
}
