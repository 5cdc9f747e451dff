//! A hop of many changed ranges on the largest disk.

use crate::{client, process::Ran, server::Server};

const BYTES: usize = 4096;

/// How much more memory a run may take than the smallest. What is in memory is a page of the
/// listing, with 10,000 ranges; the allocator keeps some more the more often it is replaced.
const GROWTH: f64 = 1.25;

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
    println!("\nA hop of changed ranges of 4 KiB on a disk of 8 TiB, by ranges, 16 in flight");
    println!(
        "{:>8}  {:18} {:>7} {:>17} {:>19} {:>9}",
        "ranges", "", "wall s", "CPU us per range", "requests per range", "peak MiB"
    );
    let mut peaks = Vec::new();
    for &ranges in counts {
        let mut server = Server::start();
        server.disk();
        assert_eq!(client::start("mirror", &server.account, &[]).figure("snapshots"), 1.0);
        server.change(ranges);
        let mirror = turn(&mut server, "mirror");
        let plain = turn(&mut server, "loop");
        print(ranges, "mirror", &mirror);
        print(ranges, "one at a time", &plain);
        println!(
            "{ranges:>8}  {:18} {:>7.2} {:>17.2} {:>19.2} {:>9.2}",
            "ratio",
            mirror.ran.wall / plain.ran.wall,
            mirror.ran.cpu / plain.ran.cpu,
            mirror.requests as f64 / plain.requests as f64,
            mirror.ran.figure("peak") / plain.ran.figure("peak"),
        );
        if Some(&ranges) == counts.iter().min() {
            // As a mirror does, which sends a blob no more than 500 requests a second.
            print(ranges, "so, and as slowly", &turn(&mut server, "paced"));
        }
        peaks.push((ranges, mirror.ran.figure("peak")));
    }
    let fewest = counts.iter().min();
    let first = peaks.iter().filter(|(ranges, _)| Some(ranges) == fewest);
    let first = first.map(|(_, peak)| *peak).fold(0.0, f64::max);
    for (ranges, peak) in &peaks {
        assert!(*peak <= GROWTH * first, "{ranges} ranges: the memory grows with the ranges");
    }
    if peaks.len() > 1 {
        println!("at most {GROWTH} times the memory of the smallest hop: yes");
    }
}

fn print(ranges: usize, name: &str, turn: &Turn) {
    assert_eq!(turn.ran.figure("bytes"), (ranges * BYTES) as f64, "{name}");
    println!(
        "{ranges:>8}  {name:18} {:>7.1} {:>17.0} {:>19.3} {:>9.1}",
        turn.ran.wall,
        1e6 * turn.ran.cpu / ranges as f64,
        turn.requests as f64 / ranges as f64,
        turn.ran.figure("peak") / f64::from(1 << 20),
    );
}

fn turn(server: &mut Server, what: &str) -> Turn {
    let before = server.requests();
    let ran = client::start(what, &server.account, &[]);
    Turn { ran, requests: server.requests() - before }
}
