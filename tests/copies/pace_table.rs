//! Complete waits for copies of 0.1 s to 24 hours on the simulator, in virtual time: the number of
//! polls, and how late the waiting program learns of the end.
//!
//! `cargo test --test main whole_waits -- --nocapture` prints the table.

use std::{future::IntoFuture, time::Duration};

use blobcopy::{BlobClient, Clock};
use blobcopy_simulator::{Op, Simulator};
use tokio::time::sleep;

/// The durations of the copies, in tenths of a second.
const LENGTHS: [u64; 14] =
    [1, 3, 10, 30, 100, 300, 479, 480, 1000, 3000, 6000, 36_000, 216_000, 864_000];

#[derive(Debug, Clone, Copy)]
enum Kind {
    Ordinary,
    Incremental,
    /// Stays at `0/N` for its whole duration.
    Held,
}

/// The cost of a wait.
struct Run {
    polls: u64,
    /// From the end of the copy until the waiting program learns of it.
    late: Duration,
}

#[tokio::test(start_paused = true)]
async fn whole_waits_are_as_prompt_as_the_pace_promises() {
    println!("{:>8}  {:>17}  {:>17}  {:>17}", "seconds", "Ordinary", "Incremental", "held at 0/N");
    for tenths in LENGTHS {
        let length = Duration::from_millis(tenths * 100);
        print!("{:>8}", length.as_secs_f64());
        for kind in [Kind::Ordinary, Kind::Incremental, Kind::Held] {
            let Run { polls, late } = wait_for(length, kind).await;
            // An eighth of the time waited, 100 ms to 30 s; sleep has millisecond resolution.
            let limit = (length / 8).clamp(Duration::from_millis(100), Duration::from_secs(30));
            assert!(late <= limit + Duration::from_millis(2), "{length:?} {kind:?}: {late:?} late");
            // At most one poll per second, or 48 for a short copy.
            assert!(polls <= length.as_secs().max(48), "{length:?} {kind:?}: {polls} polls");
            print!("  {polls:>6} {:>8.3} s", late.as_secs_f64());
        }
        println!();
    }
}

#[allow(clippy::disallowed_methods, reason = "time is paused")]
async fn wait_for(length: Duration, kind: Kind) -> Run {
    let clock = Clock::starting_at(time::macros::datetime!(2026-01-01 00:00 UTC));
    let sim = Simulator::builder().clock(clock.clone()).copy_duration(length).build();
    let container = sim.service_client().expect("a client").container_client("disks");
    container.create().await.expect("created");
    let disk = container.page_blob_client("disk");
    disk.create(1 << 20).await.expect("created");
    disk.upload_pages(0, vec![7; 4096]).await.expect("written");
    let snapshot = disk.create_snapshot().await.expect("taken").snapshot;
    let backup = container.page_blob_client("backup");
    let begun = clock.now();
    let mut copy = match kind {
        Kind::Ordinary | Kind::Held => {
            BlobClient::start_copy_from_uri(&backup, &disk).await.expect("started")
        }
        Kind::Incremental => {
            backup.start_copy_incremental(&disk, &snapshot).await.expect("started")
        }
    };
    if matches!(kind, Kind::Held) {
        let held = sim.copies().into_blob("disks", "backup");
        assert!(held.hold());
        let end = async {
            sleep(length).await;
            held.complete();
        };
        let (done, ()) = tokio::join!(copy.wait().into_future(), end);
        done.expect("success");
    } else {
        copy.wait().await.expect("success");
    }
    let late = Duration::try_from(clock.now() - begun).expect("forward") - length;
    Run { polls: sim.count(Op::GetBlobProperties), late }
}
