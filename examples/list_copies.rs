//! Lists a container and shows the state of every copy into it.
//!
//! Lists a container of the account in `AZURE_STORAGE_CONNECTION_STRING` and changes nothing:
//! `cargo run --example list_copies -- backups`. If that is not set, it starts a simulator with a
//! container of copies in every state.

#[path = "shared/account.rs"]
mod account;

use std::{env, process::ExitCode};

use account::{CONNECTION_STRING, Result, account, announce};
use blobcopy::{
    BlobContainerClient, BlobHierarchyItem, BlobInclude, BlobItem, BlobServiceClient, CopyState,
    PageBlobClient, SnapshotId,
};
use blobcopy_simulator::Simulator;
use futures_util::TryStreamExt;
use time::macros::format_description;

#[tokio::main]
async fn main() -> ExitCode {
    account::exit(run().await)
}

async fn run() -> Result<()> {
    if let Some(service) = account(CONNECTION_STRING)? {
        let name = env::args().nth(1).ok_or("name the container to list")?;
        return list(&service.container_client(&name)).await;
    }
    let simulator = Simulator::builder()
        .account("backups", "dGhlIGtleSBvZiB0aGUgYmFja3Vwcw==")
        .account("disks", "dGhlIGtleSBvZiB0aGUgZGlza3M=")
        .start()
        .await?;
    announce(&simulator);
    let container = fill(&simulator).await?;
    list(&container).await
}

/// Lists everything flat, then the top level by hierarchy.
async fn list(container: &BlobContainerClient) -> Result<()> {
    println!("All of {}:\n", container.url()?);
    println!("{:9} {:>21} {:20} blob", "copy", "bytes", "ended");
    // Reads page by page, so only one page is in memory.
    let include = [BlobInclude::Copy, BlobInclude::Snapshots, BlobInclude::Metadata];
    let mut blobs = container.list_blobs().include(include);
    let (mut count, mut last) = (0, None);
    while let Some(blob) = blobs.try_next().await? {
        show(&blob)?;
        if let Some(kept) = kept(&blob) {
            // The progress of an incremental copy counts the whole disk. The diff with the previous
            // snapshot, which was just listed, is what it moved.
            let before = last.replace((blob.name.clone(), kept.clone()));
            if let Some((_, before)) = before.filter(|(name, _)| *name == blob.name) {
                let kept = container.page_blob_client(&blob.name).with_snapshot(kept);
                detail("moved", &format!("{} bytes", kept.diff_size(before).await?));
            }
        }
        count += 1;
    }
    println!("\n{count} in all. The top level:\n");

    // Snapshots cannot be listed by hierarchy, copies can.
    let folders = container.list_blobs().include([BlobInclude::Copy]).by_hierarchy("/");
    let mut entries = folders;
    while let Some(entry) = entries.try_next().await? {
        match entry {
            // List its content with .prefix(&folder).
            BlobHierarchyItem::Prefix(folder) => println!("{:9} {folder}", "folder"),
            BlobHierarchyItem::Blob(blob) => {
                let copy = blob.properties.copy.as_ref();
                println!("{:9} {}", copy.map_or("-", |copy| copy.status.as_str()), blob.name);
            }
            _ => {}
        }
    }
    Ok(())
}

/// Prints a line for a blob, and the details of its copy below.
fn show(blob: &BlobItem) -> Result<()> {
    let name = match &blob.snapshot {
        Some(snapshot) => format!("{} at {snapshot}", blob.name),
        None => blob.name.clone(),
    };
    let properties = &blob.properties;
    let Some(copy) = &properties.copy else {
        println!("{:9} {:>21} {:20} {name}", "-", properties.content_length, "");
        return Ok(());
    };
    let CopyState { status, progress, completed_on, .. } = copy;
    let progress = progress.map(|progress| progress.to_string()).unwrap_or_default();
    let format = format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");
    let ended = completed_on.map(|date| date.format(format)).transpose()?.unwrap_or_default();
    println!("{:9} {progress:>21} {ended:20} {name}", status.as_str());

    detail("id", copy.copy_id.as_str());
    if let Some(source) = &copy.source {
        // It shows the signature of a SAS as REDACTED.
        detail("from", &source.to_string());
    }
    if let Some(description) = &copy.description {
        detail("because", description);
    }
    if let Some(snapshot) = &copy.destination_snapshot {
        detail("kept as", snapshot.as_str());
    }
    for (name, value) in properties.metadata.iter() {
        detail("metadata", &format!("{name}: {value}"));
    }
    Ok(())
}

/// Prints one detail of a copy.
fn detail(what: &str, text: &str) {
    println!("{:10}{what:9} {text}", "");
}

/// The snapshot id, if an incremental copy made this snapshot.
fn kept(blob: &BlobItem) -> Option<&SnapshotId> {
    let copy = blob.properties.copy.as_ref()?;
    copy.destination_snapshot.as_ref().filter(|kept| blob.snapshot.as_ref() == Some(*kept))
}

/// Copies a disk from another account: one copy succeeds, one fails, two are incremental, one is
/// aborted, one stays pending.
async fn fill(simulator: &Simulator) -> Result<BlobContainerClient> {
    let client = |account| {
        let text = simulator.connection_string_of(account).unwrap_or_default();
        BlobServiceClient::from_connection_string(&text)
    };
    let (disks, backups) = (client("disks")?, client("backups")?);
    let (disks, backups) = (disks.container_client("vhds"), backups.container_client("backups"));
    disks.create().await?;
    backups.create().await?;
    let disk = disks.page_blob_client("disk0.vhd");
    disk.create(1 << 20).metadata([("machine", "web-1")]).await?;
    disk.upload_pages(0, vec![1; 64 << 10]).await?;
    backups.block_blob_client("read me.txt").upload("Backups of the machines.").await?;

    let copy_of = |name: &str| backups.page_blob_client(name);
    copy_of("monday/disk0.vhd").start_copy_from_uri(&disk).await?.wait().await?;
    simulator.copies().fail_next(512 << 10, "500 InternalServerError \"Copy failed.\"");
    let mut fails = copy_of("tuesday/disk0.vhd").start_copy_from_uri(&disk).await?;
    let _ = fails.wait().await;
    back_up(&disk, &copy_of("daily/disk0.vhd")).await?;
    disk.upload_pages(4096, vec![2; 8192]).await?;
    back_up(&disk, &copy_of("daily/disk0.vhd")).await?;

    simulator.copies().hold();
    let mut unwanted = copy_of("wednesday/disk0.vhd").start_copy_from_uri(&disk).await?;
    unwanted.abort().await?;
    copy_of("disk0.vhd").start_copy_from_uri(&disk).await?;
    Ok(backups)
}

async fn back_up(disk: &PageBlobClient, backup: &PageBlobClient) -> Result<()> {
    let snapshot = disk.create_snapshot().await?.snapshot;
    backup.start_copy_incremental(disk, &snapshot).await?.wait().await?;
    Ok(())
}
