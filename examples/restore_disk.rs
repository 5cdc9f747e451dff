//! Restores yesterday's disk from a mirror, and tries the newest copy, as a schedule should do
//! every week. No byte passes through this program.
//!
//! Uses the account in `AZURE_STORAGE_CONNECTION_STRING`; if that is not set, a simulator that it
//! starts itself. Run it with `cargo run --example restore_disk`.

#[path = "shared/account.rs"]
mod account;
#[path = "shared/containers.rs"]
mod containers;
#[path = "shared/mirror_bar.rs"]
mod mirror_bar;
#[path = "shared/service.rs"]
mod service;

use std::{process::ExitCode, time::Duration};

use account::Result;
use blobcopy::{
    BlobContainerClient, DeleteSnapshots, PageBlobClient,
    disks::{DiskBackup, RestorePoint, SnapshotMirror},
};
use blobcopy_simulator::Simulator;
use containers::{in_containers, unused_name};
use indicatif::{HumanBytes, ProgressBar, ProgressStyle};
use mirror_bar::MirrorBar;
use service::connect;

const DISK: usize = 64 << 20;

#[tokio::main]
async fn main() -> ExitCode {
    account::exit(run().await)
}

async fn run() -> Result<()> {
    // Keep it until the end: a simulator stops when it is dropped.
    let (service, _simulator) = connect(Simulator::builder().copy_rate(48 << 20)).await?;
    let container = service.container_client(&unused_name());
    in_containers([&container], async || lose_and_restore(&container).await).await?;
    println!("\nThe container is deleted again.");
    Ok(())
}

async fn lose_and_restore(container: &BlobContainerClient) -> Result<()> {
    let disk = container.page_blob_client("disk0.vhd");
    let backup = container.page_blob_client("backup/disk0.vhd");
    disk.create(DISK as u64).await?;
    let mut content = vec![0; DISK];
    write(&disk, &mut content, 0, 24 << 20).await?;
    disk.create_snapshot().await?;
    let yesterday = content.clone();

    // Today's disk has a mistake in it, which was copied too.
    write(&disk, &mut content, 4 << 20, 1 << 20).await?;
    disk.create_snapshot().await?;
    println!("Made a disk of {} with two snapshots. Its mirror:", HumanBytes(DISK as u64));
    let bar = MirrorBar::new()?;
    SnapshotMirror::new(&disk, &backup).run().on_event(|event| bar.show(event)).await?;

    // The disk is gone: all that follows knows the backup alone.
    disk.delete().snapshots(DeleteSnapshots::Include).await?;
    let backup = DiskBackup::of(&backup);
    let chain = backup.chain().await?;
    println!("\nThe disk is lost. Its backup has:");
    for snapshot in &chain.snapshots {
        println!("  {snapshot}, {}", HumanBytes(snapshot.length));
    }

    let older = chain.snapshots.first().ok_or("the backup is empty")?;
    let target = container.page_blob_client("disk0-restored.vhd");
    let restore = backup.restore(RestorePoint::Snapshot(older.snapshot.clone()), &target);
    let report = with_a_bar(&target, async { Ok(restore.await?) }).await?;
    println!("\nRestored yesterday's disk:\n  {report}");
    if !report.is_identical() {
        return Err("the restored disk differs from its snapshot".into());
    }
    let restored = target.download().await?.bytes().await?;
    if restored != yesterday {
        return Err("the restored disk differs from yesterday's".into());
    }
    println!("Downloaded it: all {} bytes are those of yesterday.", restored.len());

    println!("\nA drill, which restores the newest copy to a scratch blob and removes it:");
    let drill = backup.drill().await?;
    println!("  {drill}");
    match (drill.is_identical(), drill.left) {
        (true, None) => Ok(()),
        _ => Err("the drill failed".into()),
    }
}

/// Writes something else than there is.
async fn write(
    disk: &PageBlobClient,
    content: &mut [u8],
    offset: usize,
    length: usize,
) -> Result<()> {
    for (number, byte) in (0_u64..).zip(&mut content[offset..offset + length]) {
        let [found, ..] = (number / 8).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes();
        *byte = byte.wrapping_add(found).wrapping_add(1);
    }
    let content = content[offset..offset + length].to_vec();
    disk.upload_pages(offset as u64, content).await?;
    Ok(())
}

/// Shows how far the copy into a blob has come, until the work is done.
#[allow(clippy::disallowed_methods, reason = "a bar moves in real time")]
async fn with_a_bar<T>(
    target: &PageBlobClient,
    work: impl Future<Output = Result<T>>,
) -> Result<T> {
    let style = ProgressStyle::with_template("  [{bar:32}] {bytes} of {total_bytes}")?;
    let bar = ProgressBar::new(0).with_style(style);
    let polls = async {
        loop {
            tokio::time::sleep(Duration::from_millis(250)).await;
            let Ok(found) = target.get_properties().await else { continue };
            if let Some(progress) = found.copy.and_then(|copy| copy.progress) {
                bar.set_length(progress.total);
                bar.set_position(progress.copied);
            }
        }
    };
    tokio::select! {
        done = work => {
            bar.finish();
            done
        }
        () = polls => Err("it never ends".into()),
    }
}
