//! Tests a small backup function against the simulator: a normal run, a lost response to a start, a
//! busy service, a failed copy, and a copy that never ends.
//!
//! Time is virtual, so hours pass in milliseconds. In your project each scenario would be a test
//! with `#[tokio::test(start_paused = true)]`.
//!
//! `cargo run --example test_your_backup_code`

use std::{error::Error as StdError, process::ExitCode, time::Duration};

use blobcopy::{Clock, Error, PageBlobClient, SnapshotId};
use blobcopy_simulator::{Op, Simulator};
use time::macros::datetime;

/// How long a copy takes here.
const COPY: Duration = Duration::from_secs(20 * 60);

/// The code under test: backs up `disk`, and returns the new snapshot of `backup`.
///
/// Starts a failed copy again, at most twice. Aborts a copy that takes more than six hours.
async fn back_up(
    disk: &PageBlobClient,
    backup: &PageBlobClient,
) -> Result<Option<SnapshotId>, Error> {
    let snapshot = disk.create_snapshot().await?.snapshot;
    let mut failures = 0;
    loop {
        let mut copy = backup.start_copy_incremental(disk, &snapshot).await?;
        match copy.wait().timeout(Duration::from_secs(6 * 60 * 60)).await {
            Ok(done) => return Ok(done.destination_snapshot),
            Err(Error::CopyFailed { .. }) if failures < 2 => failures += 1,
            Err(error) => {
                if matches!(error, Error::WaitTimedOut { .. }) {
                    copy.abort().await?;
                }
                return Err(error);
            }
        }
    }
}

#[tokio::main(flavor = "current_thread", start_paused = true)]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn StdError>> {
    println!("                               starts  copies  of virtual time");
    all_goes_well().await?;
    the_answer_to_the_start_is_lost().await?;
    the_service_is_busy().await?;
    a_copy_fails().await?;
    a_copy_does_not_end().await?;
    println!("\nThe backup function passed every scenario.");
    Ok(())
}

async fn all_goes_well() -> Result<(), Box<dyn StdError>> {
    let world = World::new().await?;
    world.back_up_and_compare().await?;
    world.report("all goes well");
    assert_eq!(world.copies(), 1);
    Ok(())
}

/// The service started the copy, but the response is lost. A second start would be refused, since a
/// copy is pending. So the client looks at the destination first, and adopts its copy.
async fn the_answer_to_the_start_is_lost() -> Result<(), Box<dyn StdError>> {
    let world = World::new().await?;
    world.sim.faults().on(Op::IncrementalCopy).lose_answer().times(1);
    world.back_up_and_compare().await?;
    world.report("the start's answer is lost");
    assert_eq!((world.starts(), world.copies()), (1, 1));
    Ok(())
}

/// The service refuses two starts, and the first poll.
async fn the_service_is_busy() -> Result<(), Box<dyn StdError>> {
    let world = World::new().await?;
    let wait = Duration::from_secs(10);
    let faults = world.sim.faults();
    faults.on(Op::IncrementalCopy).answer(503, "ServerBusy").retry_after(wait).times(2);
    faults.on(Op::GetBlobProperties).answer(503, "ServerBusy").retry_after(wait).times(1);
    world.back_up_and_compare().await?;
    world.report("the service is busy");
    assert_eq!((world.starts(), world.copies()), (3, 1));
    Ok(())
}

/// The first copy fails half-way, and the function starts another.
async fn a_copy_fails() -> Result<(), Box<dyn StdError>> {
    let world = World::new().await?;
    world.sim.copies().fail_next(World::DISK / 2, "500 InternalServerError \"Copy failed.\"");
    world.back_up_and_compare().await?;
    world.report("a copy fails half-way");
    assert_eq!((world.starts(), world.copies()), (2, 2));
    Ok(())
}

/// The function gives up, and leaves no pending copy.
async fn a_copy_does_not_end() -> Result<(), Box<dyn StdError>> {
    let world = World::new().await?;
    world.sim.copies().hold();
    let error = back_up(&world.disk, &world.backup).await.expect_err("it never ends");
    assert!(matches!(error, Error::WaitTimedOut { .. }), "{error}");
    world.report("a copy does not end");
    assert_eq!(world.sim.count(Op::AbortCopy), 1);
    assert_eq!(world.sim.copies().pending(), 0);
    Ok(())
}

/// A simulated account with a disk to back up.
struct World {
    sim: Simulator,
    disk: PageBlobClient,
    backup: PageBlobClient,
    begun: time::OffsetDateTime,
}

impl World {
    const DISK: u64 = 1 << 20;

    async fn new() -> Result<Self, Error> {
        let clock = Clock::starting_at(datetime!(2026-01-01 03:00 UTC));
        let begun = clock.now();
        let sim = Simulator::builder().clock(clock).copy_duration(COPY).build();
        let container = sim.service_client()?.container_client("disks");
        container.create().await?;
        let disk = container.page_blob_client("disk0.vhd");
        disk.create(Self::DISK).await?;
        disk.upload_pages(4096, vec![7; 8192]).await?;
        Ok(Self { sim, disk, backup: container.page_blob_client("backup/disk0.vhd"), begun })
    }

    /// Backs up the disk, and downloads the backup.
    async fn back_up_and_compare(&self) -> Result<(), Error> {
        let kept = back_up(&self.disk, &self.backup).await?.expect("the copy names its snapshot");
        let backed_up = self.backup.with_snapshot(kept).download().await?.bytes().await?;
        assert!(backed_up == self.disk.download().await?.bytes().await?, "the backup differs");
        Ok(())
    }

    /// How many starts reached the service.
    fn starts(&self) -> u64 {
        self.sim.count(Op::IncrementalCopy)
    }

    /// How many copies the service started.
    fn copies(&self) -> u64 {
        self.sim.copies().started()
    }

    fn report(&self, scenario: &str) {
        let minutes = (self.sim.clock().now() - self.begun).whole_minutes();
        let (starts, copies) = (self.starts(), self.copies());
        println!("{scenario:30} {starts:6}  {copies:6}  {minutes:8} min");
    }
}
