//! Many small blobs, from a container to another of the same account.

use crate::{
    client,
    process::{self, Ran},
    rclone,
    server::Server,
};

const IN_FLIGHT: usize = 32;
const BYTES: usize = 1024;

pub(crate) fn row(measured: bool) {
    let (blobs, turns) = if measured { (10_000, 5) } else { (200, 1) };
    println!("\n{blobs} blobs of 1 KiB between two containers, {IN_FLIGHT} in flight");
    let mut server = Server::start(blobs, BYTES);
    let version = rclone::version();
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    let mut requests = [0, 0];
    for turn in 0..turns {
        let before = server.requests();
        ours.push(ours_once(&server, &format!("ours-{turn}"), blobs));
        let between = server.requests();
        if version.is_some() {
            theirs.push(theirs_once(&server, &format!("theirs-{turn}"), blobs));
        }
        requests = [between - before, server.requests() - between];
    }
    println!("{:28} {:>8} {:>16} {:>18}", "", "wall s", "CPU us per blob", "requests per blob");
    let row = |name: &str, turns: &[Ran], requests: u64| {
        let (wall, cpu) = process::best(turns);
        let each = 1e6 * cpu / blobs as f64;
        let sent = requests as f64 / blobs as f64;
        println!("{name:28} {wall:>8.2} {each:>16.0} {sent:>18.3}");
        (wall, cpu)
    };
    let (wall, cpu) = row("blobcopy", &ours, requests[0]);
    match version {
        Some(version) => {
            let (of_wall, of_cpu) = row(&version, &theirs, requests[1]);
            let (wall, cpu) = (wall / of_wall, cpu / of_cpu);
            println!("{:28} {wall:>8.2} {cpu:>16.2}   (target: below 0.5)", "ratio");
        }
        None => println!("rclone                       is not installed: nothing to compare with"),
    }
}

fn ours_once(server: &Server, to: &str, blobs: usize) -> Ran {
    let ran = client::start("copy", &server.accounts, &[to, &IN_FLIGHT.to_string()]);
    assert_eq!(ran.figure("bytes"), (blobs * BYTES) as f64);
    ran
}

fn theirs_once(server: &Server, to: &str, blobs: usize) -> Ran {
    let ran = rclone::copy(&server.sas_url, to, IN_FLIGHT);
    assert_eq!(client::count(&server.accounts[0], to), blobs, "rclone copied something else");
    ran
}
