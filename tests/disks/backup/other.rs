//! Destinations that are not the mirror's, and locks that others hold.

use std::time::Duration;

use blobcopy::{
    DeleteSnapshots, PageBlobClient,
    disks::{DiskBackup, Keep, MirrorError, SnapshotMirror},
};

use super::{ROUTES, World};

fn is_refused<T: std::fmt::Debug>(ended: Result<T, MirrorError>) -> String {
    match ended.expect_err("refused") {
        error @ MirrorError::Refused { .. } => error.to_string(),
        other => panic!("{other}"),
    }
}

/// Another disk, with snapshots that are older than all of the first.
async fn another(world: &World) -> PageBlobClient {
    let other = world.disk().container_client().page_blob_client("other.vhd");
    other.create(1 << 20).await.expect("created");
    for _ in 0..3 {
        world.sim.clock().advance(Duration::from_secs(900));
        other.create_snapshot().await.expect("taken");
    }
    other
}

async fn expect_marker(world: &World, name: &str, is_there: bool) {
    let marker = world.backup().container_client().blob_client(name);
    assert_eq!(marker.exists().await.expect("looked"), is_there, "{name}");
}

#[tokio::test(start_paused = true)]
async fn take_lock_is_for_the_run_alone() {
    let world = World::new().await;
    world.grown(3).await;
    let mirror = world.mirror().take_lock();
    mirror.run().await.expect("mirrored");
    let marker = world.backup().container_client().blob_client("disk0.vhd.blobcopy");
    let lease = marker.acquire_lease(Duration::from_secs(60)).await.expect("another run begins");
    let keep = Keep::new().last(1);
    let busy = mirror.prune(&keep).await.expect_err("the other run is alive");
    assert!(matches!(busy, MirrorError::Busy { .. }), "{busy}");
    let busy = mirror.prune_source(&keep).await.expect_err("the other run is alive");
    assert!(matches!(busy, MirrorError::Busy { .. }), "{busy}");
    assert_eq!(world.equals().await.len(), 3);
    assert_eq!(mirror.prune(&keep).take_lock().await.expect("pruned").deleted.len(), 2);
    drop(lease);
}

#[tokio::test(start_paused = true)]
async fn the_snapshots_of_a_disk_that_was_never_copied_there_stay() {
    for route in ROUTES {
        let world = World::new().await;
        let other = another(&world).await;
        world.grown(3).await;
        world.by(route).run().await.expect("mirrored");
        let keep = Keep::new().last(1);
        let wrong = SnapshotMirror::new(&other, &world.backup());
        for mirror in [wrong.clone(), wrong.new_generation()] {
            let prune = || mirror.prune_source(&keep).also_absent();
            let why = is_refused(prune().plan().await);
            assert!(why.contains("another blob") || why.contains("is a mirror of"), "{why}");
            is_refused(prune().await);
        }
        let left = other.list_snapshots().collect_all().await.expect("listed");
        assert_eq!(left.len(), 3, "{route}");
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_of_a_source_goes_before_something_is_copied() {
    let world = World::new().await;
    world.grown(3).await;
    let keep = Keep::new().last(1);
    let prune = || world.mirror().prune_source(&keep).also_absent();
    let why = is_refused(prune().plan().await);
    assert!(why.contains("does not exist"), "{why}");
    is_refused(prune().await);
    expect_marker(&world, "disk0.vhd.blobcopy", false).await;
    world.backup().create(512).await.expect("created");
    let why = is_refused(prune().await);
    assert!(why.contains("not made by a mirror"), "{why}");
    expect_marker(&world, "disk0.vhd.blobcopy", false).await;

    // All copies were deleted.
    let all = DeleteSnapshots::Include;
    world.backup().delete().snapshots(all).await.expect("deleted");
    world.mirror().run().await.expect("mirrored");
    for copy in world.kept().chain().await.expect("listed").snapshots {
        copy.client(&world.backup()).delete().await.expect("deleted");
    }
    let why = is_refused(prune().await);
    assert!(why.contains("has no copy"), "{why}");
    let left = world.disk().list_snapshots().collect_all().await.expect("listed");
    assert_eq!(left.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn what_no_mirror_made_is_not_pruned_and_gets_no_lock() {
    let world = World::new().await;
    world.grown(3).await;
    let keep = Keep::new().last(1);
    let none = DiskBackup::of(&world.beside("none"));
    let disk = DiskBackup::of(&world.disk());
    for (backup, words) in [(&none, "does not exist"), (&disk, "not made by a mirror")] {
        let why = is_refused(backup.prune(&keep).await);
        assert!(why.contains(words), "{why}");
        let why = is_refused(backup.plan_prune(&keep).await);
        assert!(why.contains(words), "{why}");
    }
    expect_marker(&world, "none.blobcopy", false).await;
    let marker = world.disk().container_client().blob_client("disk0.vhd.blobcopy");
    assert!(!marker.exists().await.expect("looked"));
    let left = world.disk().list_snapshots().collect_all().await.expect("listed");
    assert_eq!(left.len(), 3);
}
