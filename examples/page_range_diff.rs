//! Tells what the next incremental copy of a disk will move, moves it, and checks that the
//! snapshots of the copy differ in just that.
//!
//! With `AZURE_STORAGE_CONNECTION_STRING` set, in that account; else in a simulator, which it
//! starts itself. Run it with `cargo run --example page_range_diff`.

#[path = "shared/account.rs"]
mod account;
#[path = "shared/containers.rs"]
mod containers;

use std::process::ExitCode;

use account::{CONNECTION_STRING, Result, account, announce};
use blobcopy::{BlobContainerClient, BlobServiceClient, CompletedCopy, PageBlobClient, SnapshotId};
use blobcopy_simulator::Simulator;
use containers::{in_containers, unused_name};
use indicatif::HumanBytes;

const DISK: usize = 16 << 20;
const KIB: usize = 1 << 10;

#[tokio::main]
async fn main() -> ExitCode {
    account::exit(run().await)
}

async fn run() -> Result<()> {
    // Kept until the end: a simulator that is dropped stops.
    let (service, _simulator) = connect().await?;
    let container = service.container_client(&unused_name());
    in_containers([&container], async || back_up_and_compare(&container).await).await?;
    println!("\nEverything that was made is deleted again.");
    Ok(())
}

/// A client of the account that the environment names, or of a simulator that is started here.
async fn connect() -> Result<(BlobServiceClient, Option<Simulator>)> {
    if let Some(service) = account(CONNECTION_STRING)? {
        return Ok((service, None));
    }
    let simulator = Simulator::builder().start().await?;
    announce(&simulator);
    let service = BlobServiceClient::from_connection_string(&simulator.connection_string())?;
    Ok((service, Some(simulator)))
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

    // A day goes by. The disk is written in three places, of which two touch, and cleared in two,
    // of which one has just been written.
    println!("\nSince then were");
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
    // The progress of a copy counts the whole disk. What it moved, its snapshots tell.
    let moved = backup.with_snapshot(kept(&done)?).diff_size(kept(&first_copy)?).await?;
    println!(
        "\nThe second copy moved {moved} bytes, and clears what was cleared: that moves none."
    );
    if moved != expected {
        return Err(format!("that is not the {expected} bytes of the list of differences").into());
    }
    compare(&backup, &done, &content).await
}

/// Prints how two snapshots differ, in the order of the addresses, and gives the bytes to be moved.
async fn difference(disk: &PageBlobClient, from: &SnapshotId, to: &SnapshotId) -> Result<u64> {
    // Of the disk as it is at the second snapshot, whatever is written to it from now on.
    let disk = disk.with_snapshot(to);
    let diff = disk.get_page_ranges_diff(from).collect_all().await?;
    println!("\nThe service says that the second snapshot differs from the first in\n");
    println!("  {:>10}  {:>10}  {:>10}", "from", "to", "bytes");
    for item in &diff.ranges {
        let range = item.range();
        let what = if item.is_clear() { "cleared" } else { "written" };
        println!("  {:>10}  {:>10}  {:>10}  {what}", range.start, range.end, range.len());
    }
    // The same list, added up as it comes in: for a large disk it need not be held in memory.
    let size = disk.diff_size(from).await?;
    println!(
        "\nSo the next incremental copy has {size} bytes to move, of {}.",
        diff.content_length
    );
    Ok(size)
}

async fn copy(
    backup: &PageBlobClient,
    disk: &PageBlobClient,
    snapshot: &SnapshotId,
) -> Result<CompletedCopy> {
    Ok(backup.start_copy_incremental(disk, snapshot).await?.wait().await?)
}

/// The snapshot of the backup in which a copy was kept.
fn kept(copy: &CompletedCopy) -> Result<&SnapshotId> {
    copy.destination_snapshot.as_ref().ok_or_else(|| "the copy named no snapshot".into())
}

/// Reads what the second copy kept, and compares every byte.
async fn compare(backup: &PageBlobClient, copy: &CompletedCopy, expected: &[u8]) -> Result<()> {
    let snapshot = kept(copy)?;
    let content = backup.with_snapshot(snapshot).download().await?.bytes().await?;
    if content != expected {
        return Err(format!("snapshot {snapshot} of the backup differs from the disk").into());
    }
    println!("Read its snapshot {snapshot} back: all {} bytes are the same.", content.len());
    Ok(())
}
