//! Copies a large blob from one account to another in pieces, several at a time; interrupts the
//! copy, and goes on where it stopped.
//!
//! Copies from the account in `AZURE_STORAGE_SOURCE_CONNECTION_STRING` to the one in
//! `AZURE_STORAGE_CONNECTION_STRING`; if neither is set, between two accounts of a simulator that
//! it starts itself. Run it with `cargo run --example copy_large_blob`.

#[path = "shared/account.rs"]
mod account;
#[path = "shared/containers.rs"]
mod containers;

use std::{process::ExitCode, time::Duration};

use account::{CONNECTION_STRING, Result, account, announce};
use blobcopy::{
    BlobServiceClient, BlockBlobClient,
    jobs::{Budget, CopyJob, verify},
};
use blobcopy_simulator::Simulator;
use containers::{in_containers, unused_name};
use indicatif::{HumanBytes, ProgressBar, ProgressStyle};

const SOURCE_CONNECTION_STRING: &str = "AZURE_STORAGE_SOURCE_CONNECTION_STRING";
const SIZE: u64 = 32 << 20;
/// By default blobs beyond 256 MiB are copied in pieces, of 8 MiB or more.
const PIECE: u64 = 1 << 20;
const NAME: &str = "2026/film.mp4";

#[tokio::main]
async fn main() -> ExitCode {
    account::exit(run().await)
}

async fn run() -> Result<()> {
    // Keep it until the end: a simulator stops when it is dropped.
    let (from, to, _simulator) = connect().await?;
    let name = unused_name();
    let (films, backups) = (from.container_client(&name), to.container_client(&name));
    in_containers([&films, &backups], async || {
        make(&films.block_blob_client(NAME)).await?;
        // So slow that it can be watched, and interrupted.
        let budget = Budget::new().bytes_per_second(32 << 20);
        let job = CopyJob::new(&films, &backups).largest_single(PIECE).block_size(PIECE);
        let job = job.budget(&budget);
        println!("\n{}\n", job.plan().await?);

        println!("Interrupted after half of it:");
        copy(&job, &budget, SIZE / 2).await?;
        println!("\nAgain:");
        copy(&job, &budget, u64::MAX).await?;
        // The answers to the pieces of the first run are lost, and with them the checksums.
        println!("\nCompared inside the service, since the copy was made in two runs:");
        let verified = verify(&films.blob_client(NAME), &backups.blob_client(NAME)).await?;
        println!("  {verified}");
        if !verified.is_identical() {
            return Err("the copy differs from its source".into());
        }
        Ok(())
    })
    .await?;
    println!("\nThe containers are deleted again.");
    Ok(())
}

/// Clients of the two accounts in the environment, or of two in a new simulator.
async fn connect() -> Result<(BlobServiceClient, BlobServiceClient, Option<Simulator>)> {
    match (account(SOURCE_CONNECTION_STRING)?, account(CONNECTION_STRING)?) {
        (Some(from), Some(to)) => Ok((from, to, None)),
        (None, None) => {
            let simulator = Simulator::builder()
                .account("backups", "dGhlIGtleSBvZiB0aGUgYmFja3Vwcw==")
                .account("films", "dGhlIGtleSBvZiB0aGUgZmlsbXM=")
                .start()
                .await?;
            announce(&simulator);
            let client = |account| {
                let text = simulator.connection_string_of(account).unwrap_or_default();
                BlobServiceClient::from_connection_string(&text)
            };
            Ok((client("films")?, client("backups")?, Some(simulator)))
        }
        _ => Err(format!("set both {SOURCE_CONNECTION_STRING} and {CONNECTION_STRING}").into()),
    }
}

/// Uploads the source blob.
async fn make(film: &BlockBlobClient) -> Result<()> {
    let content: Vec<u8> = (0..SIZE / 8).flat_map(u64::to_le_bytes).collect();
    film.upload(content).content_type("video/mp4").await?;
    println!("Made a blob of {} at\n  {}", HumanBytes(SIZE), film.url()?);
    Ok(())
}

/// Runs the job to its end, or only until the service has been given so many bytes to copy.
#[allow(clippy::disallowed_methods, reason = "a bar moves in real time")]
async fn copy(job: &CopyJob, budget: &Budget, most: u64) -> Result<()> {
    let before = (budget.requests(), budget.bytes());
    let bar = ProgressBar::new(SIZE)
        .with_style(ProgressStyle::with_template("  [{bar:32}] {bytes} of {total_bytes}")?);
    // Within one blob, the budget of the job knows how far it has come.
    let sent = || budget.bytes() - before.1;
    let interrupted = async {
        let mut ticks = tokio::time::interval(Duration::from_millis(20));
        while sent() < most {
            ticks.tick().await;
            bar.set_position(sent());
        }
    };
    let failed = tokio::select! {
        report = job.run().into_future() => report?.failed.into_iter().next(),
        () = interrupted => None,
    };
    bar.abandon();
    if !bar.is_hidden() {
        eprintln!();
    }
    println!("  {} requests for {}", budget.requests() - before.0, HumanBytes(sent()));
    match failed {
        None => Ok(()),
        Some(failure) => Err(failure.message.into()),
    }
}
