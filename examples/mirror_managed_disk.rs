//! Mirrors the incremental snapshots of a managed disk to a page blob. Access to two of them at a
//! time is granted by Azure Resource Manager, and given back.
//!
//! ```text
//! cargo run --example mirror_managed_disk
//! cargo run --example mirror_managed_disk -- <subscription> <group> <disk> <container URL>
//! ```
//!
//! Without arguments it uses a simulator, with a made-up login. With them it uses the login of the
//! Azure CLI (`az login`), which needs these permissions: `Microsoft.Compute/snapshots/read`,
//! `Microsoft.Compute/snapshots/beginGetAccess/action` and
//! `Microsoft.Compute/snapshots/endGetAccess/action` for the group's snapshots, and
//! `Microsoft.Compute/locations/DiskOperations/read` to learn how a grant ended; and the role
//! Storage Blob Data Contributor for the container. The mirror stays then. Nothing of this was ever
//! tried on a real account.

#[path = "shared/account.rs"]
#[allow(dead_code, reason = "a managed disk has no connection string")]
mod account;
#[path = "shared/mirror_bar.rs"]
mod mirror_bar;

use std::{env, process::ExitCode};

use account::Result;
use azure_identity::DeveloperToolsCredential;
use blobcopy::{
    AccessToken, BlobContainerClient, Clock, Credential, CredentialError, ResourceManager,
    TokenProvider,
    disks::{ManagedSnapshots, MirrorReport, SnapshotMirror},
    transport::BoxFuture,
};
use blobcopy_simulator::{ManagedDisk, Simulator};
use indicatif::HumanBytes;
use mirror_bar::MirrorBar;

const MIB: u64 = 1 << 20;

#[tokio::main]
async fn main() -> ExitCode {
    account::exit(run().await)
}

async fn run() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => in_a_simulator().await,
        [subscription, group, disk, container] => {
            in_azure(subscription, group, disk, container).await
        }
        _ => Err("write <subscription> <group> <disk> <container URL>, or nothing".into()),
    }
}

/// Mirrors a disk of an account.
async fn in_azure(subscription: &str, group: &str, disk: &str, container: &str) -> Result<()> {
    // For the HTTP client of the SDK's login.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let login = Credential::from_token_credential(DeveloperToolsCredential::new(None)?);
    let manager = ResourceManager::builder(subscription, group, disk);
    let manager = manager.credential(login.clone()).build()?;
    let container = BlobContainerClient::builder(container.parse()?).credential(login).build()?;
    let backup = container.page_blob_client(&format!("{disk}.vhd"));
    let mirror = SnapshotMirror::new(ManagedSnapshots::new(manager), &backup);
    run_with_a_bar(&mirror).await?;
    Ok(())
}

/// Makes a disk in a simulator, mirrors it, changes it, and mirrors it again.
async fn in_a_simulator() -> Result<()> {
    println!("No disk is named, so this uses a simulator of the service, with a made-up login.\n");
    let simulator = Simulator::builder().accept_bearer(|token| token == "made-up").build();
    let disks = simulator.managed_disks();
    let disk = disks.create("disks", "db0", 256 * MIB);
    for day in 1..=3 {
        work_for_a_day(&disk, day);
    }
    println!("Made a managed disk of {} with three snapshots.", HumanBytes(disk.size()));

    let options = simulator.client_options();
    let manager = ResourceManager::builder(disks.subscription(), "disks", "db0")
        .credential(Credential::token(MadeUp))
        .endpoint(disks.endpoint())
        .options(options.clone())
        .build()?;
    let source = ManagedSnapshots::new(manager).options(options);
    let backups = simulator.service_client()?.container_client("backups");
    backups.create().await?;
    let mirror = SnapshotMirror::new(source, &backups.page_blob_client("db0.vhd"));

    let report = run_with_a_bar(&mirror).await?;
    work_for_a_day(&disk, 4);
    println!("\nA day later:");
    let next = run_with_a_bar(&mirror).await?;
    if (report.hops.len(), next.hops.len(), next.present) != (3, 1, 3) {
        return Err("each snapshot should be copied once".into());
    }
    println!("\nAt most {} snapshots were granted at a time.", disk.most_granted());
    if disk.granted() > 0 {
        return Err("not all access was given back".into());
    }

    let found = mirror.verify().await?;
    println!("\nBoth sides compared inside the service:\n\n{found}");
    match found.is_identical() {
        true => Ok(()),
        false => Err("a copy differs".into()),
    }
}

/// Some of the disk is written, some is cleared, and an incremental snapshot is taken.
fn work_for_a_day(disk: &ManagedDisk, day: u8) {
    let offset = u64::from(day) * 16 * MIB;
    disk.write(offset, &[day; 1 << 20]);
    disk.write(offset + 4 * MIB, &[day; 4096]);
    disk.clear(offset - 16 * MIB..offset - 15 * MIB);
    disk.snapshot(&format!("db0-day-{day}"));
}

/// Shows the plan, and carries it out.
async fn run_with_a_bar(mirror: &SnapshotMirror) -> Result<MirrorReport> {
    println!("\n{}\n", mirror.plan().await?);
    let bar = MirrorBar::new()?;
    let report = mirror.run().on_event(|event| bar.show(event)).await?;
    for hop in &report.hops {
        println!(
            "  {} is {} now: {} written, {} cleared",
            hop.source.id.rsplit('/').next().unwrap_or_default(),
            hop.destination,
            HumanBytes(hop.bytes),
            HumanBytes(hop.cleared)
        );
    }
    for warning in &report.warnings {
        println!("  warning: {warning}");
    }
    Ok(report)
}

/// The login in the simulator.
#[derive(Debug)]
struct MadeUp;

impl TokenProvider for MadeUp {
    fn token<'a>(
        &'a self,
        _scope: &'a str,
    ) -> BoxFuture<'a, std::result::Result<AccessToken, CredentialError>> {
        let until = Clock::system().now() + std::time::Duration::from_secs(3600);
        Box::pin(async move { Ok(AccessToken::new("made-up", until)) })
    }
}
