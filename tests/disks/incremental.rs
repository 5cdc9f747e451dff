//! Mirrors by Incremental Copy Blob.

use blobcopy::disks::{DiskBackup, MirrorEvent, MirrorRoute, SnapshotMirror};
use futures_util::{StreamExt, TryStreamExt};

use super::world::World;

#[tokio::test(start_paused = true)]
async fn thirty_snapshots_are_mirrored_byte_for_byte() {
    let world = World::new().await;
    let taken = world.grown(30).await;
    let plan = world.mirror().plan().await.expect("planned");
    assert_eq!((plan.route, plan.hops.len(), plan.generation), (MirrorRoute::Incremental, 30, 1));
    assert_eq!(plan.hops[0].whole.as_deref(), Some("the first copy"));
    let report = world.mirror().run().await.expect("mirrored");
    assert_eq!((report.hops.len(), report.present, report.bytes), (30, 0, 30 * 4096));
    assert_eq!(plan.bytes(), report.bytes);
    let chain = world.expect_equal(&taken).await;
    assert_eq!((chain.generation, chain.route), (1, Some(MirrorRoute::Incremental)));
    assert!(
        report
            .hops
            .iter()
            .map(|hop| &hop.destination.snapshot)
            .eq(chain.snapshots.iter().map(|found| &found.snapshot))
    );

    world.counted();
    let report = world.mirror().run().await.expect("up to date");
    assert_eq!((report.hops.len(), report.present), (0, 30));
    assert_eq!((world.counted(), report.requests), (4, 4));
}

#[tokio::test(start_paused = true)]
async fn events_come_in_order() {
    let world = World::new().await;
    world.grown(2).await;
    let events: Vec<_> = world.mirror().run().events().try_collect().await.expect("mirrored");
    let words: Vec<_> = events
        .iter()
        .filter(|event| !matches!(event, MirrorEvent::HopProgress { .. }))
        .map(|event| serde_json::to_value(event).expect("JSON")["event"].clone())
        .collect();
    assert_eq!(words, ["planned", "hop-started", "hop-done", "hop-started", "hop-done", "ended"]);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_dropped_after_any_event_is_gone_on_with() {
    for stop in 0..10 {
        let world = World::new().await;
        let taken = world.grown(3).await;
        let mut events = world.mirror().run().events();
        for _ in 0..stop {
            if let Some(event) = events.next().await {
                event.expect("it goes well");
            }
        }
        drop(events);
        world.mirror().wait_for_lock().run().await.expect("mirrored");
        world.expect_equal(&taken).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_cannot_work_is_refused_before_anything_is_sent() {
    let world = World::new().await;
    let (disk, backup) = (world.disk(), world.backup());
    let snapshot = world.grow(0).await;
    let at = |name: &str| world.far.container_client("backups").page_blob_client(name);
    world.counted();
    for (mirror, word) in [
        (SnapshotMirror::new(&disk, &disk), "is the destination"),
        (SnapshotMirror::new(&disk.with_snapshot(&snapshot), &backup), "all snapshots"),
        (SnapshotMirror::new(&disk, &backup.with_snapshot(&snapshot)), "cannot be a destination"),
        (SnapshotMirror::new(&disk, &at(&"x".repeat(977))), "at most 976"),
        (SnapshotMirror::new(&disk, &at(&"😀".repeat(150))), "at most 1500"),
        (SnapshotMirror::new(&disk, &at("disk.g2")), "another name"),
        (SnapshotMirror::new(&disk, &at("disk.blobcopy")), "another name"),
        (SnapshotMirror::new(&at("disk.g2"), &at("disk")), "beside it"),
        (world.mirror().in_flight(0), "at least 1"),
    ] {
        let planned = mirror.plan().await.expect_err(word).to_string();
        let run = mirror.run().await.expect_err(word).to_string();
        assert!(run.contains(word) && run == planned, "{run}");
    }
    assert_eq!(world.counted(), 0);
    SnapshotMirror::new(&disk, &at(&"x".repeat(976))).run().await.expect("it fits");
    // And whatever is made of it.
    let report = DiskBackup::of(&at(&"x".repeat(976))).drill().await.expect("it fits");
    assert!(report.is_identical(), "{report}");
}
