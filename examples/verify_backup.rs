//! Backs up a container with receipts, and proves later that the backup still has the content of
//! its source: nothing is downloaded, and a byte that was changed is found.
//!
//! Uses the account in `AZURE_STORAGE_CONNECTION_STRING`; if that is not set, a simulator that it
//! starts itself. Run it with `cargo run --example verify_backup`.

#[path = "shared/account.rs"]
mod account;
#[path = "shared/containers.rs"]
mod containers;
#[path = "shared/service.rs"]
mod service;

use std::{process::ExitCode, time::Duration};

use account::Result;
use blobcopy::{
    BlobContainerClient,
    jobs::{Budget, CheckReport, CopyJob, JobEvent, Receipts, Verdict, verify},
};
use blobcopy_simulator::Simulator;
use containers::{in_containers, unused_name};
use indicatif::{HumanBytes, ProgressBar, ProgressStyle};
use service::connect;

const DISK: u64 = 4 << 20;
const NOTES: usize = 12;

#[tokio::main]
async fn main() -> ExitCode {
    account::exit(run().await)
}

async fn run() -> Result<()> {
    // Keep it until the end: a simulator stops when it is dropped.
    let (service, _simulator) = connect(Simulator::builder()).await?;
    let name = unused_name();
    let data = service.container_client(&format!("{name}-data"));
    let backups = service.container_client(&format!("{name}-backup"));
    in_containers([&data, &backups], async || {
        make(&data).await?;
        let receipts = back_up(&data, &backups).await?;
        spoil(&backups).await?;
        find(&data, &backups, &receipts).await
    })
    .await?;
    println!("\nThe containers are deleted again.");
    Ok(())
}

/// Makes a disk and some small blobs.
async fn make(data: &BlobContainerClient) -> Result<()> {
    let disk = data.page_blob_client("disk0.vhd");
    disk.create(DISK).await?;
    let content: Vec<u8> = (0..DISK / 16).flat_map(u64::to_le_bytes).collect();
    disk.upload_pages(0, content).await?;
    for number in 0..NOTES {
        let note = data.block_blob_client(&format!("notes/{number}.txt"));
        note.upload(format!("note {number}")).await?;
    }
    println!("Made a disk of {} and {NOTES} small blobs.", HumanBytes(DISK));
    Ok(())
}

/// Copies the container, with each copy compared inside the service. Returns the lines to keep.
async fn back_up(data: &BlobContainerClient, backups: &BlobContainerClient) -> Result<String> {
    let bar = ProgressBar::new(NOTES as u64 + 1)
        .with_style(ProgressStyle::with_template("  [{bar:32}] {pos} of {len} blobs")?);
    let mut receipts = String::new();
    let job = CopyJob::new(data, backups).verify(true);
    let report = job
        .run()
        .on_event(|event| match event {
            JobEvent::Finished(blob) => {
                bar.inc(1);
                let line = blob.receipt.as_ref().map(serde_json::to_string);
                // A receipt is plain data: it has no value that JSON lacks.
                receipts.extend(line.into_iter().flatten().map(|line| line + "\n"));
            }
            JobEvent::Failed(failure) => eprintln!("{}: {}", failure.name, failure.message),
            _ => {}
        })
        .await?;
    finish(&bar);
    println!("\nBacked up: {} blobs failed. The first receipt:", report.failures);
    println!("  {}", receipts.lines().next().ok_or("there is no receipt")?);
    Ok(receipts)
}

/// Writes into the backup of the disk, behind everybody's back.
async fn spoil(backups: &BlobContainerClient) -> Result<()> {
    backups.page_blob_client("disk0.vhd").upload_pages(1 << 20, vec![7; 512]).await?;
    println!("\nWrote 512 bytes at 1 MiB of the disk's backup.");
    Ok(())
}

/// Checks the backup: by its receipts where both blobs are still as they were, otherwise by
/// comparing them inside the service.
async fn find(
    data: &BlobContainerClient,
    backups: &BlobContainerClient,
    receipts: &str,
) -> Result<()> {
    let kept: serde_json::Result<Receipts> = receipts.lines().map(serde_json::from_str).collect();
    let job = CopyJob::new(data, backups);
    println!("\nChecked with the receipts:");
    let with = check(&job.clone().receipts(kept?)).await?;
    println!("\nChecked without them:");
    let without = check(&job).await?;
    if with != without || with.different != 1 {
        return Err("both must find the disk, and nothing else".into());
    }

    let disk = |container: &BlobContainerClient| container.blob_client("disk0.vhd");
    let verified = verify(&disk(data), &disk(backups)).await?;
    println!("\nThe disk and its backup are {verified}.");
    match verified.verdict {
        Verdict::Different(found) if found.ranges == [(1 << 20..(1 << 20) + 512).into()] => Ok(()),
        _ => Err("the place was not found".into()),
    }
}

/// Compares by content, and prints the differences.
#[allow(clippy::disallowed_methods, reason = "a bar moves in real time")]
async fn check(job: &CopyJob) -> Result<CheckReport> {
    let budget = Budget::new();
    let job = job.clone().budget(&budget);
    let spinner = ProgressBar::new_spinner()
        .with_style(ProgressStyle::with_template("  {spinner} {pos} requests")?);
    let mut check = job.check().content(true).into_future();
    let mut ticks = tokio::time::interval(Duration::from_millis(20));
    let report = loop {
        tokio::select! {
            report = &mut check => break report?,
            _ = ticks.tick() => spinner.set_position(budget.requests()),
        }
    };
    finish(&spinner);
    for difference in &report.differences {
        println!("  {difference}");
    }
    println!("  {} blobs are the same; {} requests", report.same, budget.requests());
    Ok(report)
}

/// Leaves the bar as it is, if it is shown at all.
fn finish(bar: &ProgressBar) {
    bar.abandon();
    if !bar.is_hidden() {
        eprintln!();
    }
}
