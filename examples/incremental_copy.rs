//! Backs up a disk twice: the first copy moves everything, the second only the changes.
//!
//! Uses the account in `AZURE_STORAGE_CONNECTION_STRING`; if that is not set, a simulator that it
//! starts itself. Run it with `cargo run --example incremental_copy`.

use std::{env, error::Error, process::ExitCode, time::Duration};

use blobcopy::{
    BlobContainerClient, BlobServiceClient, Clock, CompletedCopy, PageBlobClient, SnapshotId,
};
use blobcopy_simulator::Simulator;
use indicatif::{HumanBytes, ProgressBar, ProgressStyle};

const DISK: usize = 64 << 20;
const CONNECTION_STRING: &str = "AZURE_STORAGE_CONNECTION_STRING";

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn Error>> {
    let clock = Clock::system();
    let begun = clock.now();
    // Keep it until the end: a simulator stops when it is dropped.
    let (service, _simulator) = connect().await?;

    // A new name for each run.
    let name = format!("blobcopy-example-{}", begun.unix_timestamp_nanos());
    let container = service.container_client(&name);
    container.create().await?;
    // Clean up in any case.
    let copied = back_up_twice(&container).await;
    let deleted = container.delete().await;
    copied?;
    deleted?;

    let seconds = (clock.now() - begun).as_seconds_f64();
    println!("\nDone in {seconds:.1} s; the container is deleted again.");
    Ok(())
}

/// A client of the account in the environment, or of a new simulator.
async fn connect() -> Result<(BlobServiceClient, Option<Simulator>), Box<dyn Error>> {
    if let Ok(connection_string) = env::var(CONNECTION_STRING) {
        let service = BlobServiceClient::from_connection_string(&connection_string)?;
        println!("Using the account at {}.\n", service.url());
        return Ok((service, None));
    }
    let simulator = Simulator::builder().copy_rate(48 << 20).start().await?;
    let service = BlobServiceClient::from_connection_string(&simulator.connection_string())?;
    println!("{CONNECTION_STRING} is not set, so this uses a simulator of the service,");
    println!("running in this process at {}.\n", service.url());
    Ok((service, Some(simulator)))
}

async fn back_up_twice(container: &BlobContainerClient) -> Result<(), Box<dyn Error>> {
    let disk = container.page_blob_client("disk0.vhd");
    let backup = container.page_blob_client("backup/disk0.vhd");

    let mut content = pattern();
    disk.create(content.len() as u64).await?;
    disk.upload_pages(0, content.clone()).await?;
    println!("Made a page blob of {}.", HumanBytes(DISK as u64));

    let first = disk.create_snapshot().await?.snapshot;
    let first_copy = copy(&backup, &disk, &first, "First copy").await?;
    let first_content = content.clone();

    // The next day three ranges of the disk change.
    for (offset, length) in [(0, 4096), (10 << 20, 64 << 10), (DISK - 512, 512)] {
        let changed = &mut content[offset..offset + length];
        changed.iter_mut().for_each(|byte| *byte = !*byte);
        disk.upload_pages(offset as u64, changed.to_vec()).await?;
    }
    println!("Changed three ranges of it, {} in all.", HumanBytes(4096 + (64 << 10) + 512));

    let second = disk.create_snapshot().await?.snapshot;
    let second_copy = copy(&backup, &disk, &second, "Second copy").await?;

    // The progress counts the whole disk. The diff of the two snapshots is what was moved.
    let (from, to) = (kept(&first_copy)?, kept(&second_copy)?);
    let moved = backup.with_snapshot(to).diff_size(from).await?;
    println!("\nThe second copy moved only the changes: {}.", HumanBytes(moved));

    compare(&backup, &first_copy, &first_content).await?;
    compare(&backup, &second_copy, &content).await
}

/// Copies one snapshot incrementally, with a progress bar.
async fn copy(
    backup: &PageBlobClient,
    disk: &PageBlobClient,
    snapshot: &SnapshotId,
    title: &'static str,
) -> Result<CompletedCopy, Box<dyn Error>> {
    let mut copy = backup.start_copy_incremental(disk, snapshot).await?;
    let bar = ProgressBar::new(DISK as u64)
        .with_message(title)
        .with_style(ProgressStyle::with_template("{msg:11} [{bar:32}] {bytes} of {total_bytes}")?);
    let done = copy
        .wait()
        .timeout(Duration::from_secs(600))
        .on_progress(|state| {
            if let Some(progress) = state.progress {
                bar.set_length(progress.total);
                bar.set_position(progress.copied);
            }
        })
        .await?;
    bar.finish();
    if !bar.is_hidden() {
        eprintln!();
    }
    println!("{title}: done, snapshot {}.", kept(&done)?);
    Ok(done)
}

/// The snapshot of the backup that a copy made.
fn kept(copy: &CompletedCopy) -> Result<&SnapshotId, Box<dyn Error>> {
    copy.destination_snapshot.as_ref().ok_or_else(|| "the copy has no snapshot".into())
}

/// Downloads a snapshot of the backup and compares every byte.
async fn compare(
    backup: &PageBlobClient,
    copy: &CompletedCopy,
    expected: &[u8],
) -> Result<(), Box<dyn Error>> {
    let snapshot = kept(copy)?;
    let content = backup.with_snapshot(snapshot).download().await?.bytes().await?;
    if content != expected {
        return Err(format!("snapshot {snapshot} of the backup differs from the disk").into());
    }
    println!("Downloaded snapshot {snapshot}: all {} bytes are equal.", content.len());
    Ok(())
}

/// Content in which every page is different.
fn pattern() -> Vec<u8> {
    (0..DISK as u64 / 8)
        .flat_map(|word| word.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes())
        .collect()
}
