//! Many disks with many snapshots each.

use crate::{client, server::Server};

const CONCURRENCY: usize = 32;

pub(crate) fn rows(measured: bool, chosen: &[usize]) {
    let (disks, snapshots) = match (chosen, measured) {
        (&[disks, snapshots], _) => (disks, snapshots),
        (_, true) => (100, 10),
        (_, false) => (5, 2),
    };
    println!("\n{disks} disks with {snapshots} snapshots each, {CONCURRENCY} disks at a time");
    println!(
        "{:24} {:14} {:>9} {:>7} {:>9} {:>13} {:>20} {:>9}",
        "",
        "run",
        "snapshots",
        "wall s",
        "requests",
        "each snapshot",
        "CPU us per snapshot",
        "peak MiB"
    );
    for (route, name) in [("incremental", "Incremental Copy Blob"), ("ranges", "changed ranges")] {
        let mut server = Server::start();
        server.disks(disks, snapshots);
        row(&server, route, name, "first", disks * snapshots);
        row(&server, route, name, "again", 0);
        server.one_more(disks, snapshots);
        row(&server, route, name, "one more each", disks);
    }
}

fn row(server: &Server, route: &str, name: &str, run: &str, copied: usize) {
    let ran = client::start("fleet", &server.account, &[&CONCURRENCY.to_string(), route]);
    assert_eq!(ran.figure("copied"), copied as f64, "{run}");
    let snapshots = ran.figure("copied") + ran.figure("present");
    println!(
        "{name:24} {run:14} {copied:>9} {:>7.1} {:>9.0} {:>13.2} {:>20.0} {:>9.1}",
        ran.wall,
        ran.figure("requests"),
        ran.figure("requests") / snapshots,
        1e6 * ran.cpu / snapshots,
        ran.figure("peak") / f64::from(1 << 20),
    );
}
