//! Copies a blob from one account to another, and authorizes the source in three ways.
//!
//! Copies from the account in `AZURE_STORAGE_SOURCE_CONNECTION_STRING` to the one in
//! `AZURE_STORAGE_CONNECTION_STRING`; if only the second is set, within that account; if none is
//! set, between two accounts of a simulator that it starts itself. Run it with `cargo run --example
//! sas_for_a_source`.

#[path = "shared/account.rs"]
mod account;
#[path = "shared/containers.rs"]
mod containers;

use std::{env, process::ExitCode, time::Duration};

use account::{CONNECTION_STRING, Result, account, announce};
use blobcopy::{
    BlobClient, BlobContainerClient, BlobServiceClient, Clock, CopySource, SharedKey,
    sas::{BlobSasPermissions, ServiceSas},
};
use blobcopy_simulator::Simulator;
use containers::{in_containers, unused_name};
use url::Url;

const SOURCE_CONNECTION_STRING: &str = "AZURE_STORAGE_SOURCE_CONNECTION_STRING";

const CONTENT: &str = "Content to copy.";

#[tokio::main]
async fn main() -> ExitCode {
    account::exit(run().await)
}

async fn run() -> Result<()> {
    // Keep it until the end: a simulator stops when it is dropped.
    let (from, to, _simulator) = accounts().await?;
    let key = key(&from)?;
    let from = BlobServiceClient::from_connection_string(&from)?;
    println!("From {}\n  to {}\n", from.url(), to.url());

    let name = unused_name();
    let source = from.container_client(&name);
    let target = to.container_client(&format!("{name}-to"));
    in_containers([&source, &target], async || {
        copy_in_three_ways(&source, &target, &key, from.url() != to.url()).await
    })
    .await?;
    println!("\nDone; the containers are deleted again.");
    Ok(())
}

async fn copy_in_three_ways(
    source: &BlobContainerClient,
    target: &BlobContainerClient,
    key: &SharedKey,
    from_another_account: bool,
) -> Result<()> {
    let notes = source.blob_client("my notes.txt");
    notes.block_blob_client().upload(CONTENT).await?;

    // The SAS must be valid until the copy ends; an hour is enough here.
    let may_read = BlobSasPermissions::new().read();
    let until = Clock::system().now() + Duration::from_secs(3600);

    println!("1. A SAS from the builder, appended to the URL by hand:");
    let sas = ServiceSas::blob(notes.container_name(), notes.name())
        .permissions(may_read)
        .expires(until)
        .sign(key)?;
    let url: Url = format!("{}?{}", notes.url()?, sas.expose()).parse()?;
    println!("   {sas:?}");
    copy(CopySource::from(url), &target.blob_client("by hand.txt")).await?;

    println!("2. A URL with a SAS from the client, in one call:");
    let url = notes.sas_url(may_read, until).await?;
    println!("   {url:?}");
    copy(CopySource::from(&url), &target.blob_client("by URL.txt")).await?;

    println!("3. The client itself, which authorizes the source as needed:");
    let source = CopySource::from(&notes).sas_lifetime(Duration::from_secs(3600));
    println!("   {source:?}");
    copy(source, &target.blob_client("by client.txt")).await?;

    // Within one account the request itself authorizes the source.
    if from_another_account {
        println!("Without any authorization:");
        let bare = CopySource::from(notes.url()?);
        match target.blob_client("not at all.txt").start_copy_from_uri(bare).await {
            Ok(_) => return Err("a source without authorization was copied".into()),
            Err(error) => println!("   {error}"),
        }
    }
    Ok(())
}

async fn copy(source: CopySource, to: &BlobClient) -> Result<()> {
    let mut copy = to.start_copy_from_uri(source).await?;
    copy.wait().timeout(Duration::from_secs(600)).await?;
    let content = to.download().await?.bytes().await?;
    if content != CONTENT {
        return Err(format!("{} differs from its source", to.name()).into());
    }
    println!("   {} bytes copied to {:?}.", content.len(), to.name());
    Ok(())
}

/// The connection string of the source account and a client of the destination account: from the
/// environment, or of two accounts in a new simulator.
async fn accounts() -> Result<(String, BlobServiceClient, Option<Simulator>)> {
    if let Some(to) = account(CONNECTION_STRING)? {
        let from = env::var(SOURCE_CONNECTION_STRING).or_else(|_| env::var(CONNECTION_STRING))?;
        return Ok((from, to, None));
    }
    let simulator = Simulator::builder()
        .account("first", "Zmlyc3Qga2V5")
        .account("second", "c2Vjb25kIGtleQ==")
        .start()
        .await?;
    announce(&simulator);
    let of = |account| simulator.connection_string_of(account).ok_or("no such account");
    let to = BlobServiceClient::from_connection_string(&of("second")?)?;
    Ok((of("first")?, to, Some(simulator)))
}

/// The account key in a connection string, which signs a SAS.
fn key(connection_string: &str) -> Result<SharedKey> {
    let value = |name: &str| {
        let mut pairs = connection_string.split(';').filter_map(|pair| pair.split_once('='));
        pairs.find(|pair| pair.0.eq_ignore_ascii_case(name)).map(|pair| pair.1)
    };
    let missing = |name| format!("the connection string has no {name}, which a SAS is signed with");
    let account = value("AccountName").ok_or_else(|| missing("AccountName"))?;
    let key = value("AccountKey").ok_or_else(|| missing("AccountKey"))?;
    Ok(SharedKey::new(account, key)?)
}
