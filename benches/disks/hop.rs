//! A hop of many changed ranges on the largest disk.

use crate::{
    client::{self, PACED, UNPACED},
    process::Ran,
    server::Server,
};

const BYTES: usize = 4096;

/// How much more memory a run may take than the smallest. What is in memory is a page of the
/// listing, with 10,000 ranges; the allocator keeps some more the more often it is replaced.
const GROWTH: f64 = 1.25;

/// The most CPU time that a mirror may take, as a part of that of the plain loop.
const MOST_CPU: f64 = 1.3;

/// What a client did with a hop.
struct Turn {
    ran: Ran,
    requests: u64,
}

pub(crate) fn rows(measured: bool, chosen: &[usize]) {
    let counts = match (chosen, measured) {
        ([], true) => &[40_000, 100_000][..],
        ([], false) => &[200],
        (chosen, _) => chosen,
    };
    println!("\nA hop of changed ranges of 4 KiB on a disk of 8 TiB, by ranges: 16 in flight, and");
    println!("one at a time. Paced: 500 requests a second to one blob, by the same budget.");
    println!(
        "{:>8}  {:22} {:>7} {:>17} {:>17} {:>19} {:>9}",
        "ranges",
        "",
        "wall s",
        "CPU us per range",
        "waits per range",
        "requests per range",
        "peak MiB"
    );
    let mut peaks = Vec::new();
    for &ranges in counts {
        let mut server = Server::start();
        server.disk();
        for pace in [PACED, UNPACED] {
            let first = client::start("mirror", &server.account, &[pace, pace]);
            assert_eq!(first.figure("snapshots"), 1.0);
        }
        server.change(ranges);
        peaks.push(compare(ranges, &mut server, UNPACED));
        // It takes long, and how long is known.
        if Some(&ranges) == counts.last() {
            compare(ranges, &mut server, PACED);
        }
    }
    let least = peaks.iter().copied().fold(f64::INFINITY, f64::min);
    for (ranges, peak) in counts.iter().zip(&peaks) {
        assert!(*peak <= GROWTH * least, "{ranges} ranges: the memory grows with the ranges");
    }
    if peaks.len() > 1 {
        println!("at most {GROWTH} times the memory of the smallest hop: yes");
    }
}

/// Prints what both take, and returns the most memory of the mirror.
fn compare(ranges: usize, server: &mut Server, pace: &str) -> f64 {
    let mirror = turn(server, "mirror", [pace, pace]);
    let plain = turn(server, "loop", ["copied", pace]);
    print(ranges, &format!("mirror, {pace}"), &mirror);
    print(ranges, &format!("one at a time, {pace}"), &plain);
    let ratio = |name: &str| mirror.ran.figure(name) / plain.ran.figure(name);
    println!(
        "{ranges:>8}  {:22} {:>7.2} {:>17.2} {:>17.2} {:>19.2} {:>9.2}   (target: CPU <= {MOST_CPU})",
        "ratio",
        mirror.ran.wall / plain.ran.wall,
        mirror.ran.cpu / plain.ran.cpu,
        ratio("waits"),
        mirror.requests as f64 / plain.requests as f64,
        ratio("peak"),
    );
    mirror.ran.figure("peak")
}

fn print(ranges: usize, name: &str, turn: &Turn) {
    assert_eq!(turn.ran.figure("bytes"), (ranges * BYTES) as f64, "{name}");
    println!(
        "{ranges:>8}  {name:22} {:>7.1} {:>17.0} {:>17.2} {:>19.3} {:>9.1}",
        turn.ran.wall,
        1e6 * turn.ran.cpu / ranges as f64,
        turn.ran.figure("waits") / ranges as f64,
        turn.requests as f64 / ranges as f64,
        turn.ran.figure("peak") / f64::from(1 << 20),
    );
}

fn turn(server: &mut Server, what: &str, arguments: [&str; 2]) -> Turn {
    let before = server.requests();
    let ran = client::start(what, &server.account, &arguments);
    Turn { ran, requests: server.requests() - before }
}
