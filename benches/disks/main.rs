//! What mirrors of disks cost: `cargo bench -p blobcopy --bench disks`.
//!
//! The simulator and the client are processes of their own, so that the CPU time and the memory of
//! the client are known apart. Beside the mirror, a plain loop copies the same ranges in the same
//! run, one at a time, as published samples do.
//!
//! An argument selects the rows that contain it: `-- hop`, or `-- fleet`. `-- fleet 1000 30` says
//! how many disks, with how many snapshots each, and `-- hop 40000 100000` how many ranges: it
//! fails if the memory of the client grows with them. A hop takes a second for 500 ranges.

#![allow(clippy::unwrap_used, reason = "a bench that cannot go on should stop and say where")]

mod client;
mod fleet;
mod hop;
#[allow(dead_code, reason = "the other bench uses all of it")]
#[path = "../jobs/process.rs"]
mod process;
mod server;

use std::env;

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.first().map(String::as_str) {
        Some(server::ARGUMENT) => return server::run(&arguments[1..]),
        Some(client::ARGUMENT) => return client::run(&arguments[1..]),
        _ => {}
    }
    // `cargo test --benches` only checks that it runs.
    let measured = arguments.iter().any(|argument| argument == "--bench");
    if !measured {
        println!("disks: few ranges and disks; `cargo bench` gives the figures");
    }
    let mut chosen = arguments.iter().filter(|argument| !argument.starts_with('-'));
    let filter = chosen.next().map(String::as_str);
    let numbers: Vec<usize> = chosen.map(|number| number.parse().unwrap()).collect();
    let wants = |row: &str| filter.is_none_or(|filter| row.contains(filter));
    if wants("hop") {
        hop::rows(measured, &numbers);
    }
    if wants("fleet") {
        fleet::rows(measured, &numbers);
    }
}
