//! What a mirror leaves out or cannot do, and how it says so.

use blobcopy::disks::{
    DiskBackup, Keep, ManagedSnapshots, MirrorError, MirrorEvent, MirrorFleet, MirrorRoute,
    MirrorWarning, SnapshotMirror,
};
use blobcopy_simulator::{Op, Simulator};
use futures_util::TryStreamExt;

use super::world::World;

const ROUTES: [MirrorRoute; 2] = [MirrorRoute::Incremental, MirrorRoute::Ranges];

/// The request that takes a snapshot of the destination.
fn snapshot_by(route: MirrorRoute) -> Op {
    match route {
        MirrorRoute::Incremental => Op::IncrementalCopy,
        _ => Op::SnapshotBlob,
    }
}

/// The names in the container of the backup.
async fn names(world: &World) -> Vec<String> {
    let list = world.backup().container_client().list_blobs().collect_all().await;
    list.expect("listed").into_iter().map(|item| item.name).collect()
}

#[tokio::test(start_paused = true)]
async fn a_run_says_what_it_leaves_out_and_warns_of_a_copy_that_was_deleted() {
    for route in ROUTES {
        let world = World::new().await;
        let taken = world.grown(3).await;
        let mirror = || world.mirror().route(route);
        let report = mirror().run().await.expect("mirrored");
        assert_eq!((report.left, report.warnings), (vec![], vec![]));
        let newest = world.mirror().chain().await.expect("listed").newest().cloned();
        newest.expect("it is there").client(&world.backup()).delete().await.expect("deleted");

        let plan = mirror().plan().await.expect("planned");
        let report = mirror().run().await.expect("nothing is to do");
        assert_eq!((report.hops.len(), report.present), (0, 2));
        assert_eq!(report.left, plan.left, "{route}");
        assert_eq!(report.left[0].snapshot.id, taken[2].to_string());
        assert!(
            report.left[0].because.contains("the copy was deleted"),
            "{}",
            report.left[0].because
        );
        let warning = MirrorWarning::CopyDeleted { snapshot: taken[2].to_string() };
        assert_eq!((&report.warnings, &plan.warnings), (&vec![warning.clone()], &vec![warning]));
    }
}

#[tokio::test(start_paused = true)]
async fn the_report_of_a_fleet_names_the_disks_without_snapshots() {
    let world = World::new().await;
    let to = world.far.container_client("backups");
    let fleet = MirrorFleet::of_container(&world.near.container_client("vhds"), "", &to, "");
    let report = fleet.run().await.expect("a report");
    assert_eq!((report.left, report.left_blobs.len()), (1, 1));
    assert!(report.left_blobs[0].source.ends_with("/vhds/disk0.vhd"), "{:?}", report.left_blobs);
}

#[tokio::test(start_paused = true)]
async fn a_blob_that_is_full_of_snapshots_asks_for_a_prune() {
    let keep = Keep::new().last(1);
    let full = |world: &World, route, times| {
        world.sim.faults().on(snapshot_by(route)).times(times).answer(409, "SnapshotCountExceeded");
    };
    for route in ROUTES {
        let world = World::new().await;
        world.grown(2).await;
        let mirror = || world.mirror().route(route);
        mirror().run().await.expect("mirrored");
        let third = world.grow(3).await;
        full(&world, route, 2);
        let error = mirror().run().await.expect_err("it is full");
        assert!(matches!(error, MirrorError::TooManySnapshots { .. }), "{error}");
        assert!(error.to_string().contains("prune it first") && !error.is_passing(), "{error}");
        assert!(error.as_call().is_some());
        // A fleet with a policy makes room.
        let report = MirrorFleet::new([mirror()]).keep(&keep).run().await.expect("a report");
        assert!(report.is_ok(), "{report}");
        assert_eq!((report.copied(), report.removed()), (1, 2), "{report}");
        world.expect_equal(&[third]).await;

        world.grow(4).await;
        let faults = world.sim.faults();
        faults.on(snapshot_by(route)).times(1).answer(409, "SnaphotOperationRateExceeded");
        let error = mirror().run().await.expect_err("too fast");
        assert!(matches!(error, MirrorError::NotNow { .. }) && error.is_passing(), "{error}");
        assert_eq!(mirror().run().await.expect("mirrored").hops.len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_source_snapshot_that_is_deleted_while_a_run_works_is_left_out() {
    for route in ROUTES {
        let world = World::new().await;
        let taken = world.grown(4).await;
        let mut events = world.mirror().route(route).run().events();
        let (mut is_first, mut report) = (true, None);
        while let Some(event) = events.try_next().await.expect("it goes on") {
            match event {
                MirrorEvent::HopDone(_) if std::mem::take(&mut is_first) => {
                    world.disk().with_snapshot(&taken[1]).delete().await.expect("deleted");
                }
                MirrorEvent::Ended(ended) => report = Some(ended),
                _ => {}
            }
        }
        let report = report.expect("it ended");
        assert_eq!((report.hops.len(), report.present), (3, 0), "{route}");
        let left = [taken[0].clone(), taken[2].clone(), taken[3].clone()];
        world.expect_equal(&left).await;
    }
}

#[tokio::test(start_paused = true)]
async fn no_marker_is_left_beside_what_no_mirror_made() {
    let world = World::new().await;
    world.grow(0).await;
    world.backup().create(512).await.expect("created");
    let error = world.mirror().run().await.expect_err("not made by a mirror");
    assert!(matches!(error, MirrorError::Refused { .. }), "{error}");
    assert_eq!(names(&world).await, ["disk0.vhd"]);

    // Of a managed disk too.
    let sim = Simulator::builder().account("far", "ZmFy").build();
    let disk = sim.managed_disks().create("group", "disk0", 1 << 20);
    let url = disk.snapshot("one").grant(std::time::Duration::from_secs(60)).expect("granted");
    let line = format!(
        r#"{{"snapshot":"one","created":"2026-01-01T00:00:00Z","disk":"d","url":"{url}"}}"#
    );
    let list: blobcopy::disks::DiskSnapshotList = line.parse().expect("a list");
    let mirror = SnapshotMirror::new(ManagedSnapshots::new(list), &world.backup());
    mirror.run().await.expect_err("not made by a mirror");
    assert_eq!(names(&world).await, ["disk0.vhd"]);
}

#[tokio::test(start_paused = true)]
async fn what_is_no_page_blob_or_no_blob_is_refused_by_its_name() {
    let world = World::new().await;
    let vhds = world.near.container_client("vhds");
    let notes = vhds.block_blob_client("notes");
    notes.upload("some notes").await.expect("uploaded");
    let mirror = SnapshotMirror::new(&vhds.page_blob_client("notes"), &world.backup());
    for _ in 0..2 {
        let error = mirror.run().await.expect_err("a block blob");
        assert!(error.to_string().contains("is no page blob"), "{error}");
        assert!(matches!(error, MirrorError::Refused { .. }), "{error}");
        notes.create_snapshot().await.expect("taken");
    }
    assert_eq!(names(&world).await, [""; 0]);

    let snapshot = world.grow(1).await;
    world.mirror().run().await.expect("mirrored");
    let backup = DiskBackup::of(&world.backup().with_snapshot(&snapshot));
    let error = backup.chain().await.expect_err("a snapshot").to_string();
    assert!(error.contains("is a snapshot or version"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn two_destinations_whose_names_cannot_be_fail_for_their_own_reason() {
    let world = World::new().await;
    world.grow(0).await;
    let to = |container: &str| {
        let blob = world.far.container_client(container).page_blob_client("disk");
        SnapshotMirror::new(&world.disk(), &blob)
    };
    let report = MirrorFleet::new([to("xy"), to("zz")]).run().await.expect("a report");
    assert_eq!((report.disks.len(), report.failed()), (2, 2), "{report}");
    for disk in &report.disks {
        let failure = disk.failure.as_ref().expect("it cannot be");
        assert!(failure.message.contains("container name"), "{failure}");
        assert!(disk.destination.ends_with("/disk"), "{}", disk.destination);
    }
    let error = MirrorFleet::new([to("xy"), to("xy")]).run().await.expect_err("twice");
    assert!(error.to_string().starts_with("xy/disk: is the destination of two"), "{error}");
}
