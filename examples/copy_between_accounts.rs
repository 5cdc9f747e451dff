//! Copies a blob from one account to another, checks the result, and shows how a copy fails.
//!
//! Copies from the account in `AZURE_STORAGE_SOURCE_CONNECTION_STRING` to the one in
//! `AZURE_STORAGE_CONNECTION_STRING`; if neither is set, between two accounts of a simulator that
//! it starts itself. Run it with `cargo run --example copy_between_accounts`.

#[path = "shared/account.rs"]
mod account;
#[path = "shared/containers.rs"]
mod containers;

use std::{process::ExitCode, time::Duration};

use account::{CONNECTION_STRING, Result, account, announce};
use blobcopy::{BlobClient, BlobServiceClient, BlockBlobClient, CopySource, Error};
use blobcopy_simulator::Simulator;
use containers::{in_containers, unused_name};
use indicatif::{HumanBytes, ProgressBar, ProgressStyle};

const SOURCE_CONNECTION_STRING: &str = "AZURE_STORAGE_SOURCE_CONNECTION_STRING";
const SIZE: usize = 24 << 20;
const HOUR: Duration = Duration::from_secs(3600);

#[tokio::main]
async fn main() -> ExitCode {
    account::exit(run().await)
}

async fn run() -> Result<()> {
    // Keep it until the end: a simulator stops when it is dropped.
    let (from, to, _simulator) = connect().await?;
    let name = unused_name();
    let (photos, backups) = (from.container_client(&name), to.container_client(&name));
    in_containers([&photos, &backups], async || {
        let source = photos.block_blob_client("2026/photos.tar");
        let destination = backups.blob_client("photos.tar");
        make(&source).await?;
        copy(&source, &destination).await?;
        compare(&source, &destination).await?;
        lose_the_source(&source, &backups.blob_client("second copy.tar")).await
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
                .account("photos", "dGhlIGtleSBvZiB0aGUgcGhvdG9z")
                .copy_rate(24 << 20)
                .start()
                .await?;
            announce(&simulator);
            let client = |account| {
                let text = simulator.connection_string_of(account).unwrap_or_default();
                BlobServiceClient::from_connection_string(&text)
            };
            Ok((client("photos")?, client("backups")?, Some(simulator)))
        }
        _ => Err(format!("set both {SOURCE_CONNECTION_STRING} and {CONNECTION_STRING}").into()),
    }
}

/// Uploads the source blob.
async fn make(source: &BlockBlobClient) -> Result<()> {
    let content: Vec<u8> = (0..SIZE as u64 / 8).flat_map(u64::to_le_bytes).collect();
    let upload = source.upload(content).content_type("application/x-tar");
    upload.metadata([("taken", "2026")]).await?;
    println!("Made a blob of {} at\n  {}", HumanBytes(SIZE as u64), source.url()?);
    Ok(())
}

/// Starts the copy, waits for it, and checks how it ended.
///
/// The destination's account does not know the key of the source. So the source is a client, which
/// signs a read-only SAS for this blob, valid for an hour. A URL would need a SAS of its own.
async fn copy(source: &BlockBlobClient, destination: &BlobClient) -> Result<()> {
    println!("Copying it to\n  {}", destination.url()?);
    let source = CopySource::from(source).sas_lifetime(HOUR);
    let mut copy = destination.start_copy_from_uri(source).tags([("origin", "photos")]).await?;

    let bar = ProgressBar::new(SIZE as u64)
        .with_style(ProgressStyle::with_template("  [{bar:32}] {bytes} of {total_bytes}")?);
    let done = copy
        .wait()
        .timeout(HOUR)
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
    // If the copy is complete when the start returns, the response does not say how many bytes.
    match done.progress {
        Some(progress) => {
            println!("Copied {}, as copy {}.", HumanBytes(progress.copied), done.copy_id);
        }
        None => println!("Copied at once, as copy {}.", done.copy_id),
    }
    let told = destination.get_properties().await?;
    if told.etag != done.etag {
        return Err("the destination was written after the copy".into());
    }
    if let Some(source) = told.copy.and_then(|copy| copy.source) {
        // The service may return the whole SAS; the crate never shows its signature.
        println!("Its copy source, without the signature of the SAS:\n  {source}");
    }
    Ok(())
}

/// Compares length, content type, metadata and every byte.
async fn compare(source: &BlobClient, destination: &BlobClient) -> Result<()> {
    let (from, to) = (source.download().await?, destination.download().await?);
    let (left, right) = (&from.properties, &to.properties);
    println!("\n{:15}{:25}destination", "", "source");
    let etags =
        [&left.etag, &right.etag].map(|etag| etag.as_ref().map_or("", |etag| etag.as_str()));
    let types = [left, right].map(|side| side.content_type.as_deref().unwrap_or_default());
    let lengths = [left.content_length, right.content_length].map(|length| length.to_string());
    let taken = [left, right].map(|side| side.metadata.get("taken").unwrap_or_default());
    println!("{:15}{:25}{}", "ETag", etags[0], etags[1]);
    println!("{:15}{:25}{}", "length", lengths[0], lengths[1]);
    println!("{:15}{:25}{}", "content type", types[0], types[1]);
    println!("{:15}{:25}{}", "metadata taken", taken[0], taken[1]);
    let same = lengths[0] == lengths[1] && types[0] == types[1] && taken[0] == taken[1];
    if !same || from.bytes().await? != to.bytes().await? {
        return Err("the copy differs from its source".into());
    }
    println!("Downloaded both: every byte is equal. Only the ETag differs.");
    Ok(())
}

/// Shows a copy whose source is deleted: during the copy, and before it.
async fn lose_the_source(source: &BlobClient, destination: &BlobClient) -> Result<()> {
    let mut copy = destination.start_copy_from_uri(source).await?;
    source.delete().await?;
    println!("\nDeleted the source while a second copy was pending:");
    match copy.wait().timeout(HOUR).await {
        Err(error @ Error::CopyFailed { .. }) => println!("  {error}"),
        Err(error) => return Err(error.into()),
        Ok(_) => println!("  The copy was faster and is complete."),
    }

    println!("Started a third copy of the deleted source:");
    match destination.start_copy_from_uri(source).await {
        Err(error @ Error::Service(_)) => println!("  {error}"),
        Err(error) => return Err(error.into()),
        Ok(_) => return Err("a deleted source was copied".into()),
    }
    Ok(())
}
