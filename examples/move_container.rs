//! Moves all blobs of a container to another: says first what that takes, deletes each source only
//! when its copy is proved, and shows that running it again does nothing twice.
//!
//! Uses the account in `AZURE_STORAGE_CONNECTION_STRING`; if that is not set, a simulator that it
//! starts itself. Run it with `cargo run --example move_container`.

#[path = "shared/account.rs"]
mod account;
#[path = "shared/containers.rs"]
mod containers;
#[path = "shared/service.rs"]
mod service;

use std::process::ExitCode;

use account::Result;
use blobcopy::{
    BlobContainerClient,
    jobs::{CopyJob, JobEvent, Outcome, Report},
};
use blobcopy_simulator::Simulator;
use containers::{in_containers, unused_name};
use futures_util::{StreamExt, TryStreamExt, stream};
use indicatif::{ProgressBar, ProgressStyle};
use service::connect;

const BLOBS: usize = 200;

#[tokio::main]
async fn main() -> ExitCode {
    account::exit(run().await)
}

async fn run() -> Result<()> {
    // Keep it until the end: a simulator stops when it is dropped.
    let (service, _simulator) = connect(Simulator::builder()).await?;
    let name = unused_name();
    let inbox = service.container_client(&format!("{name}-in"));
    let archive = service.container_client(&format!("{name}-out"));
    in_containers([&inbox, &archive], async || {
        make(&inbox).await?;
        move_all(&inbox, &archive).await
    })
    .await?;
    println!("\nThe containers are deleted again.");
    Ok(())
}

/// Uploads small blobs, and takes a snapshot of the first.
async fn make(inbox: &BlobContainerClient) -> Result<()> {
    let uploads = stream::iter(0..BLOBS).map(|number| {
        let blob = inbox.block_blob_client(&format!("2026/letter-{number:03}.txt"));
        async move { blob.upload(format!("letter {number}")).content_type("text/plain").await }
    });
    uploads.buffer_unordered(16).try_collect::<Vec<_>>().await?;
    inbox.blob_client("2026/letter-000.txt").create_snapshot().await?;
    println!("Made {BLOBS} blobs, one of them with a snapshot, in\n  {}", inbox.url()?);
    Ok(())
}

async fn move_all(inbox: &BlobContainerClient, archive: &BlobContainerClient) -> Result<()> {
    let job = CopyJob::new(inbox, archive).prefix("2026/").move_sources();
    println!("\nThe plan of a move to\n  {}\n", archive.url()?);
    let plan = job.plan().await?;
    println!("{plan}\n");

    let bar = ProgressBar::new(plan.blobs)
        .with_style(ProgressStyle::with_template("  [{bar:32}] {pos} of {len} blobs")?);
    let report = job
        .run()
        .planned(&plan)
        .on_event(|event| {
            if let JobEvent::Progress(progress) = event {
                bar.set_length(progress.of_blobs);
                bar.set_position(progress.blobs);
            }
        })
        .await?;
    bar.finish();
    if !bar.is_hidden() {
        eprintln!();
    }
    show(&report)?;
    // A blob with snapshots cannot be moved without losing them, so the source stays.
    if (report.count(Outcome::Moved), report.count(Outcome::SourceKept)) != (BLOBS as u64 - 1, 1) {
        return Err("not all blobs were moved".into());
    }

    println!("\nOnce more, as after an interruption:");
    let again = job.run().await?;
    show(&again)?;
    match again.bytes {
        0 => Ok(()),
        _ => Err("a blob was copied twice".into()),
    }
}

/// Prints what a run did; an error if it failed for a blob.
fn show(report: &Report) -> Result<()> {
    for (outcome, blobs) in &report.outcomes {
        println!("  {blobs:>5} {outcome}");
    }
    println!("  {:>5} requests, {} bytes copied", report.requests, report.bytes);
    match report.failed.first() {
        None => Ok(()),
        Some(failure) => Err(format!("{}: {}", failure.name, failure.message).into()),
    }
}
