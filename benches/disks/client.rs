//! The client in a process of its own.

use std::{env, process::Command};

use blobcopy::{
    BlobServiceClient,
    disks::{MirrorFleet, MirrorRoute, SnapshotMirror},
    jobs::Budget,
};
use tokio::runtime::Builder;

use crate::process::{self, Ran, ran};

/// With this argument the bench runs the client.
pub(crate) const ARGUMENT: &str = "run-client";

/// As a mirror is by default: a blob takes 500 requests a second.
pub(crate) const PACED: &str = "paced";

pub(crate) const UNPACED: &str = "unpaced";

/// The most that one Put Page From URL copies.
const MOST: u64 = 4 << 20;

/// Runs a client, and returns what it took. Its output is lines of a name and a number.
pub(crate) fn start(what: &str, account: &str, arguments: &[&str]) -> Ran {
    let program = env::current_exe().unwrap();
    ran(Command::new(program).args([ARGUMENT, what, account]).args(arguments))
}

impl Ran {
    /// A number that the client printed.
    pub(crate) fn figure(&self, name: &str) -> f64 {
        let mut pairs = self.output.lines().filter_map(|line| line.split_once(' '));
        pairs.find(|(its, _)| *its == name).expect(name).1.parse().unwrap()
    }
}

pub(crate) fn run(arguments: &[String]) {
    let [what, account, rest @ ..] = arguments else { panic!("{arguments:?}") };
    let service = BlobServiceClient::from_connection_string(account).unwrap();
    let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
    // One thread, since a run is one future: with several, whose memory glibc keeps apart, the
    // client takes more memory and more CPU time.
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        match (what.as_str(), rest.as_slice()) {
            ("mirror", [to, pace]) => mirror(&service, to, budget(pace)).await,
            ("loop", [to, pace]) => one_at_a_time(&service, to, budget(pace)).await,
            ("fleet", [concurrency, route]) => {
                fleet(&service, concurrency.parse().unwrap(), *route == "ranges").await;
            }
            _ => panic!("{arguments:?}"),
        }
    });
    println!("peak {}", process::peak());
    println!("waits {}", process::waits());
}

/// What is sent to one blob in a second: as much as the service takes, or as much as there is.
fn budget(pace: &str) -> Budget {
    match pace {
        PACED => Budget::new(),
        UNPACED => Budget::new().requests_per_second(u32::MAX).blob_requests_per_second(u32::MAX),
        _ => panic!("{pace}"),
    }
}

/// Mirrors the disk by ranges.
async fn mirror(service: &BlobServiceClient, to: &str, budget: Budget) {
    let disk = service.container_client("vhds").page_blob_client("disk");
    let backup = service.container_client("backups").page_blob_client(to);
    let mirror = SnapshotMirror::new(&disk, &backup).route(MirrorRoute::Ranges).budget(&budget);
    let report = mirror.run().await.unwrap();
    println!("snapshots {}", report.hops.len());
    println!("bytes {}", report.bytes);
}

/// What published samples do with the last two snapshots: list the difference, then copy each range
/// with a request of its own, one after the other.
async fn one_at_a_time(service: &BlobServiceClient, to: &str, budget: Budget) {
    let disk = service.container_client("vhds").page_blob_client("disk");
    let copy = service.container_client("backups").page_blob_client(to);
    let copy = copy.with_budget(&budget.for_one_blob());
    let snapshots = disk.list_snapshots().collect_all().await.unwrap();
    let [.., before, after] = snapshots.as_slice() else { panic!("two snapshots") };
    let source = disk.with_snapshot(&after.snapshot);
    copy.create(after.properties.content_length).await.unwrap();
    let changes = source.get_page_ranges_diff(&before.snapshot).collect_all().await.unwrap();
    let mut bytes = 0;
    for change in changes.ranges {
        let range = change.range();
        if change.is_clear() {
            copy.clear_pages(range.start..range.end).await.unwrap();
            continue;
        }
        for start in (range.start..range.end).step_by(4 << 20) {
            let end = range.end.min(start + MOST);
            copy.upload_pages_from_uri(&source, start..end, start).await.unwrap();
            bytes += end - start;
        }
    }
    println!("bytes {bytes}");
}

/// Mirrors all disks.
async fn fleet(service: &BlobServiceClient, concurrency: usize, by_ranges: bool) {
    let [from, to] = ["vhds", "backups"].map(|name| service.container_client(name));
    let mut fleet = MirrorFleet::of_container(&from, "", &to, "").concurrency(concurrency);
    if by_ranges {
        fleet = fleet.each(|mirror| mirror.route(MirrorRoute::Ranges));
    }
    let report = fleet.run().await.unwrap();
    assert!(report.is_ok(), "{report}");
    println!("disks {}", report.disks.len());
    println!("copied {}", report.copied());
    println!("present {}", report.present());
    println!("bytes {}", report.bytes());
    println!("requests {}", report.requests);
    println!("retries {}", report.retries);
}
