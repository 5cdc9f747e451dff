//! Page blobs of another account.

use blobcopy::jobs::{Outcome, Route};
use blobcopy_simulator::Op;

use super::world::World;

/// A sparse disk and an empty one.
async fn disks() -> World {
    let world = World::new().await;
    let disk = world.from().page_blob_client("disk0.vhd");
    disk.create(1 << 20).metadata([("owner", "team a")]).await.expect("created");
    for offset in [0, 4096, (1 << 20) - 512] {
        disk.upload_pages(offset, vec![7; 512]).await.expect("written");
    }
    let empty = world.from().page_blob_client("empty.vhd");
    empty.create(1 << 20).await.expect("created");
    // A copy of the same second counts only with equal MD5s, which disks seldom have.
    world.later();
    world.sim.forget_requests();
    world
}

#[tokio::test(start_paused = true)]
async fn a_run_sends_what_is_planned_and_the_next_one_nothing() {
    let world = disks().await;
    let plan = world.far_job().plan().await.expect("planned");
    world.counted();
    let report = world.far_job().run().await.expect("a report");
    let sent: u64 = world.counted().values().sum();
    assert_eq!((report.count(Outcome::Copied), report.failures), (2, 0), "{report:?}");
    assert_eq!(report.routes.get(&Route::PagesFromUrl), Some(&2));
    assert_eq!((sent, report.bytes), (plan.requests(), plan.bytes()), "{plan}");
    assert_eq!(report.bytes, 3 * 512);
    let expected = World::contents(&world.from()).await;
    assert_eq!(World::contents(&world.far_to()).await, expected);
    world.counted();

    let report = world.far_job().run().await.expect("a report");
    assert_eq!(report.bytes, 0, "{report:?}");
    let writes = [Op::PutBlob, Op::PutPageFromUrl, Op::SnapshotBlob, Op::SetBlobMetadata];
    let counted = world.counted();
    assert!(writes.iter().all(|op| !counted.contains_key(op)), "{counted:?}");
}

#[tokio::test(start_paused = true)]
async fn disks_are_moved_once_every_range_is_proved() {
    let world = disks().await;
    let expected = World::contents(&world.from()).await;
    let report = world.far_job().move_sources().run().await.expect("a report");
    assert_eq!(report.count(Outcome::Moved), 2, "{report:?}");
    assert_eq!(World::contents(&world.far_to()).await, expected);
    assert!(World::contents(&world.from()).await.is_empty());

    assert_eq!(world.sim.count(Op::PutBlockFromUrl), 0, "the answers to the copy prove it");

    // Without checksums the two are compared before the source is deleted.
    let world = disks().await;
    let _ = world.sim.faults().on(Op::PutPageFromUrl).drop_header("x-ms-content-crc64");
    let report = world.far_job().move_sources().run().await.expect("a report");
    assert_eq!(report.count(Outcome::Moved), 2, "{report:?}");
    assert!(world.sim.count(Op::PutBlockFromUrl) > 0);
}
