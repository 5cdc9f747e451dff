//! Shows what the next incremental copy of a disk will move, makes the copy, and checks that the
//! snapshots of the backup differ by exactly that.
//!
//! Uses the account in `AZURE_STORAGE_CONNECTION_STRING`; if that is not set, a simulator that it
//! starts itself. Run it with `cargo run --example page_range_diff`.

#[path = "shared/account.rs"]
mod account;
#[path = "shared/containers.rs"]
mod containers;
#[path = "shared/service.rs"]
mod service;

use std::process::ExitCode;

use account::Result;
use blobcopy::{BlobContainerClient, CompletedCopy, PageBlobClient, SnapshotId};
use blobcopy_simulator::Simulator;
use containers::{in_containers, unused_name};
use indicatif::HumanBytes;
use service::connect;

const DISK: usize = 16 << 20;
const KIB: usize = 1 << 10;

#[tokio::main]
async fn main() -> ExitCode {
    account::exit(run().await)
}

async fn run() -> Result<()> {
    // Keep it until the end: a simulator stops when it is dropped.
    let (service, _simulator) = connect(Simulator::builder()).await?;
    let container = service.container_client(&unused_name());
    in_containers([&container], async || back_up_and_compare(&container).await).await?;
    println!("\nThe container is deleted again.");
    Ok(())
}

async fn back_up_and_compare(container: &BlobContainerClient) -> Result<()> {
    let disk = container.page_blob_client("disk0.vhd");
    let backup = container.page_blob_client("backup/disk0.vhd");

    let mut content = vec![0xaa; DISK];
    disk.create(DISK as u64).await?;
    disk.upload_pages(0, content.clone()).await?;
    let first = disk.create_snapshot().await?.snapshot;
    let first_copy = copy(&backup, &disk, &first).await?;
    println!("Made a disk of {} and backed it up.", HumanBytes(DISK as u64));

    // The next day three ranges are written, two of them adjacent, and two are cleared, one of them
    // just written.
    println!("\nSince then:");
    for (offset, length) in [(4 * KIB, 8 * KIB), (12 * KIB, 512), (9 << 20, 64 * KIB)] {
        println!("  {length:>8} bytes written at {offset}");
        content[offset..offset + length].fill(0xbb);
        disk.upload_pages(offset as u64, content[offset..offset + length].to_vec()).await?;
    }
    for (offset, length) in [(6 * KIB, KIB), (10 << 20, 1 << 20)] {
        println!("  {length:>8} bytes cleared at {offset}");
        content[offset..offset + length].fill(0);
        disk.clear_pages(offset as u64..(offset + length) as u64).await?;
    }
    let second = disk.create_snapshot().await?.snapshot;
    let expected = difference(&disk, &first, &second).await?;

    let done = copy(&backup, &disk, &second).await?;
    // The progress counts the whole disk. The diff of the two snapshots is what was moved.
    let moved = backup.with_snapshot(kept(&done)?).diff_size(kept(&first_copy)?).await?;
    println!("\nThe second copy moved {moved} bytes. Cleared ranges move no bytes.");
    if moved != expected {
        return Err(format!("the diff has {expected} bytes").into());
    }
    compare(&backup, &done, &content).await
}

/// Prints the diff of two snapshots, and returns the number of bytes to move.
async fn difference(disk: &PageBlobClient, from: &SnapshotId, to: &SnapshotId) -> Result<u64> {
    // Compare with the second snapshot, not with the disk, which may change meanwhile.
    let disk = disk.with_snapshot(to);
    let diff = disk.get_page_ranges_diff(from).collect_all().await?;
    println!("\nThe diff of the two snapshots:\n");
    println!("  {:>10}  {:>10}  {:>10}", "from", "to", "bytes");
    for item in &diff.ranges {
        let range = item.range();
        let what = if item.is_clear() { "cleared" } else { "written" };
        println!("  {:>10}  {:>10}  {:>10}  {what}", range.start, range.end, range.len());
    }
    // The same diff, summed up as it arrives: it is never wholly in memory.
    let size = disk.diff_size(from).await?;
    println!("\nThe next incremental copy has to move {size} of {} bytes.", diff.content_length);
    Ok(size)
}

async fn copy(
    backup: &PageBlobClient,
    disk: &PageBlobClient,
    snapshot: &SnapshotId,
) -> Result<CompletedCopy> {
    Ok(backup.start_copy_incremental(disk, snapshot).await?.wait().await?)
}

/// The snapshot of the backup that a copy made.
fn kept(copy: &CompletedCopy) -> Result<&SnapshotId> {
    copy.destination_snapshot.as_ref().ok_or_else(|| "the copy has no snapshot".into())
}

/// Downloads the snapshot of the second copy and compares every byte.
async fn compare(backup: &PageBlobClient, copy: &CompletedCopy, expected: &[u8]) -> Result<()> {
    let snapshot = kept(copy)?;
    let content = backup.with_snapshot(snapshot).download().await?.bytes().await?;
    if content != expected {
        return Err(format!("snapshot {snapshot} of the backup differs from the disk").into());
    }
    println!("Downloaded its snapshot {snapshot}: all {} bytes are equal.", content.len());
    Ok(())
}
