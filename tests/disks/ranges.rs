//! Mirrors by changed ranges, from snapshots of a page blob.

use blobcopy::disks::{DiskBackup, MirrorRoute, RestorePoint, SnapshotMirror};
use blobcopy_simulator::Op;

use super::world::{MIB, World};

fn by_ranges(mirror: SnapshotMirror) -> SnapshotMirror {
    mirror.route(MirrorRoute::Ranges).take_lock()
}

#[tokio::test(start_paused = true)]
async fn thirty_snapshots_are_mirrored_byte_for_byte() {
    let world = World::new().await;
    let mut taken = world.grown(10).await;
    world.disk().resize(12 * MIB).await.expect("resized");
    taken.push(world.disk().create_snapshot().await.expect("taken").snapshot);
    world.disk().resize(16 * MIB).await.expect("resized");
    for number in 10..29 {
        taken.push(world.grow(number).await);
    }
    let plan = by_ranges(world.mirror()).plan().await.expect("planned");
    assert_eq!((plan.route, plan.hops.len()), (MirrorRoute::Ranges, 30));
    let report = by_ranges(world.mirror()).run().await.expect("mirrored");
    assert_eq!((report.hops.len(), report.route), (30, MirrorRoute::Ranges));
    // The first hop has one page, each later one what was written since, resizes nothing.
    assert_eq!(report.bytes, 29 * 4096);
    world.expect_equal(&taken).await;
    let report = world.mirror().run().await.expect("up to date");
    assert_eq!((report.hops.len(), report.present), (0, 30));
}

#[tokio::test(start_paused = true)]
async fn a_run_that_fails_at_any_write_is_gone_on_with() {
    for op in [Op::SetBlobMetadata, Op::SetBlobProperties, Op::SnapshotBlob, Op::PutPageFromUrl] {
        for passed in 0..6 {
            let world = World::new().await;
            let taken = world.grown(3).await;
            let dead = world.sim.faults().on(op).account("far").after(passed);
            drop(dead.reset());
            let torn = by_ranges(world.impatient()).run().await;
            world.sim.faults().clear();
            assert!(torn.is_err() || passed > 1, "{op:?}, {passed}");
            by_ranges(world.mirror()).run().await.expect("it goes on");
            world.expect_equal(&taken).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_hop_that_was_torn_after_its_snapshot_is_ended_first_and_moves_nothing() {
    let world = World::new().await;
    let mut taken = world.grown(2).await;
    // The notes of the first hop, and of the second but its last.
    drop(world.sim.faults().on(Op::SetBlobMetadata).account("far").after(4).reset());
    by_ranges(world.impatient()).run().await.expect_err("torn");
    world.sim.faults().clear();
    world.expect_equal(&taken).await;
    taken.push(world.grow(2).await);
    let report = by_ranges(world.mirror()).run().await.expect("mirrored");
    let moved: Vec<_> = report.hops.iter().map(|hop| (hop.bytes, hop.resumed)).collect();
    assert_eq!(moved, [(0, true), (4096, false)]);
    world.expect_equal(&taken).await;
    assert_eq!(world.mirror().run().await.expect("up to date").hops.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_metadata_of_each_snapshot_and_the_headers_are_kept_and_restored() {
    let world = World::new().await;
    let made = world.disk().create(16 * MIB).content_type("application/x-vhd");
    made.cache_control("no-cache").content_language("de").await.expect("created");
    let mut taken = Vec::new();
    let long = "x".repeat(8100);
    for (number, owner) in ["team a", "team b", &long].into_iter().enumerate() {
        world.disk().set_metadata([("owner", owner)]).await.expect("set");
        taken.push(world.grow(number as u64).await);
    }
    by_ranges(world.mirror()).run().await.expect("mirrored");
    let chain = world.expect_equal(&taken).await;
    // The last has more than a blob can have beside those of a mirror.
    for (found, owner) in chain.snapshots.iter().zip([Some("team a"), Some("team b"), None]) {
        let copy = found.client(&world.backup()).get_properties().await.expect("there");
        assert_eq!(copy.metadata.get("owner"), owner);
        for service in [&world.near, &world.far] {
            let target = service.container_client("backups").page_blob_client("restored.vhd");
            let restore = DiskBackup::of(&world.backup());
            let restore = restore.restore(RestorePoint::from(&found.snapshot), &target);
            let _ = restore.overwrite(true).await.expect("restored");
            let target = target.get_properties().await.expect("there");
            assert_eq!(target.metadata.get("owner"), owner);
            assert_eq!(target.content_type.as_deref(), Some("application/x-vhd"));
            assert_eq!(target.cache_control.as_deref(), Some("no-cache"));
            assert_eq!(target.content_language.as_deref(), Some("de"));
        }
    }
}
