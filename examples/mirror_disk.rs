//! Mirrors the snapshots of a disk: says first what that takes, copies what is missing, compares
//! both sides, adds a day, and thins the copies out. The snapshots of the disk are not touched.
//!
//! Uses the account in `AZURE_STORAGE_CONNECTION_STRING`; if that is not set, a simulator that it
//! starts itself. Run it with `cargo run --example mirror_disk`.

#[path = "shared/account.rs"]
mod account;
#[path = "shared/containers.rs"]
mod containers;
#[path = "shared/mirror_bar.rs"]
mod mirror_bar;
#[path = "shared/service.rs"]
mod service;

use std::process::ExitCode;

use account::Result;
use blobcopy::{
    BlobContainerClient, PageBlobClient,
    disks::{Keep, MirrorReport, SnapshotMirror},
};
use blobcopy_simulator::Simulator;
use containers::{in_containers, unused_name};
use indicatif::HumanBytes;
use mirror_bar::MirrorBar;
use service::connect;

const DISK: u64 = 256 << 20;
const MIB: usize = 1 << 20;

#[tokio::main]
async fn main() -> ExitCode {
    account::exit(run().await)
}

async fn run() -> Result<()> {
    // Keep it until the end: a simulator stops when it is dropped.
    let (service, _simulator) = connect(Simulator::builder().copy_rate(64 << 20)).await?;
    let container = service.container_client(&unused_name());
    in_containers([&container], async || mirror_for_some_days(&container).await).await?;
    println!("\nThe container is deleted again.");
    Ok(())
}

async fn mirror_for_some_days(container: &BlobContainerClient) -> Result<()> {
    let disk = container.page_blob_client("disk0.vhd");
    let backup = container.page_blob_client("backup/disk0.vhd");
    disk.create(DISK).await?;
    for day in 1..=3 {
        work_for_a_day(&disk, day).await?;
    }
    println!("Made a disk of {} with three snapshots.", HumanBytes(DISK));

    let mirror = SnapshotMirror::new(&disk, &backup);
    println!("\nThe plan of a mirror:\n\n{}\n", mirror.plan().await?);
    let report = run_with_a_bar(&mirror).await?;
    if report.hops.len() != 3 {
        return Err("not all snapshots were copied".into());
    }

    work_for_a_day(&disk, 4).await?;
    println!("\nA day later:");
    let report = run_with_a_bar(&mirror).await?;
    if (report.hops.len(), report.present) != (1, 3) {
        return Err("a snapshot was copied twice".into());
    }
    compare(&mirror).await?;
    thin_out(&mirror).await
}

/// Some of the disk is written, and a snapshot is taken.
async fn work_for_a_day(disk: &PageBlobClient, day: u8) -> Result<()> {
    let offset = u64::from(day) * (16 << 20);
    for content in 0..4 {
        disk.upload_pages(offset + content * MIB as u64, vec![day; MIB]).await?;
    }
    disk.create_snapshot().await?;
    Ok(())
}

async fn run_with_a_bar(mirror: &SnapshotMirror) -> Result<MirrorReport> {
    let bar = MirrorBar::new()?;
    let report = mirror.run().on_event(|event| bar.show(event)).await?;
    for hop in &report.hops {
        let bytes = HumanBytes(hop.bytes);
        println!("  {} is {} now: {bytes}", hop.source, hop.destination);
    }
    println!(
        "  {} copied, {} there before, {} requests",
        report.hops.len(),
        report.present,
        report.requests
    );
    Ok(report)
}

/// Compares each copy with the disk's snapshot that it equals: nothing is downloaded.
async fn compare(mirror: &SnapshotMirror) -> Result<()> {
    let found = mirror.verify().await?;
    println!("\nBoth sides compared inside the service:\n\n{found}");
    match found.is_identical() {
        true => Ok(()),
        false => Err("a copy differs".into()),
    }
}

/// Keeps two copies. The mirror goes on from the newest, which always stays.
async fn thin_out(mirror: &SnapshotMirror) -> Result<()> {
    let keep = Keep::new().last(2);
    println!("\nThe policy: {keep}.\n\n{}", mirror.plan_prune(&keep).await?);
    let pruned = mirror.prune(&keep).await?;
    println!("\n{} copies are deleted, {} stay.", pruned.deleted.len(), pruned.kept);
    match mirror.chain().await?.snapshots.len() {
        2 => Ok(()),
        _ => Err("two copies should be left".into()),
    }
}
