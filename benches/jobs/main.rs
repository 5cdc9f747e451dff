//! What many copies cost: `cargo bench --bench jobs`.
//!
//! The simulator, the client and rclone are processes of their own, so that the CPU time of each is
//! known apart. rclone copies the same blobs in the same run, in alternating turns; where it is not
//! installed (Debian: `apt-get install rclone`) its row says so. Of several turns the best counts:
//! what else the machine does only adds to it.
//!
//! An argument selects the rows that contain it: `cargo bench --bench jobs -- watch`. The row
//! `memory` takes minutes and runs only if it is named; `-- memory 100000 1000000` chooses how many
//! blobs, and it fails if the client takes too much.

#![allow(clippy::unwrap_used, reason = "a bench that cannot go on should stop and say where")]

mod client;
mod memory;
mod process;
mod ranges;
mod rclone;
mod server;
mod small;
mod watch;

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
        println!("jobs: few blobs and one turn of each row; `cargo bench` gives the figures");
    }
    let mut chosen = arguments.iter().filter(|argument| !argument.starts_with('-'));
    let filter = chosen.next().map(String::as_str);
    let wants = |row: &str| filter.is_none_or(|filter| row.contains(filter));
    if wants("small") {
        small::row(measured);
    }
    if wants("ranges") {
        ranges::row(measured);
    }
    if wants("watch") {
        watch::rows(measured);
    }
    if filter == Some("memory") {
        memory::rows(&chosen.map(|count| count.parse().unwrap()).collect::<Vec<usize>>());
    }
}
