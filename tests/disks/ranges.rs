//! Mirrors by changed ranges, from snapshots of a page blob.

use blobcopy::disks::{DiskBackup, MirrorRoute, MirrorWarning, RestorePoint, SnapshotMirror};
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

/// What a disk has besides its content, in the order of its snapshots.
const STORED: [(&str, Option<&str>, Option<&str>); 4] = [
    ("team a", Some("application/x-vhd"), Some("de")),
    ("team b", Some("application/x-vhd"), Some("de")),
    ("team b", Some("application/octet-stream"), None),
    ("team c", Some("application/octet-stream"), Some("en")),
];

#[tokio::test(start_paused = true)]
async fn the_metadata_and_headers_of_each_snapshot_are_kept_and_restored() {
    let world = World::new().await;
    let mut taken = Vec::new();
    for (number, (owner, kind, language)) in STORED.into_iter().enumerate() {
        world.disk().set_metadata([("owner", owner)]).await.expect("set");
        let mut set = world.disk().set_properties().cache_control("no-cache").stored_md5([7; 16]);
        if let Some(kind) = kind {
            set = set.content_type(kind);
        }
        if let Some(language) = language {
            set = set.content_language(language);
        }
        set.await.expect("set");
        taken.push(world.grow(number as u64).await);
    }
    world.sim.forget_requests();
    let report = by_ranges(world.mirror()).run().await.expect("mirrored");
    assert_eq!(report.warnings, []);
    // Three to raise the number, and two where the headers are others than before.
    assert_eq!(world.sent(Op::SetBlobProperties), 5);
    let chain = world.expect_equal(&taken).await;
    for (found, (owner, kind, language)) in chain.snapshots.iter().zip(STORED) {
        let target = world.far.container_client("backups").page_blob_client("restored.vhd");
        let near = world.near.container_client("backups").page_blob_client("restored.vhd");
        for target in [&target, &near] {
            let restore = DiskBackup::of(&world.backup());
            let restore = restore.restore(RestorePoint::from(&found.snapshot), target);
            let _ = restore.overwrite(true).await.expect("restored");
        }
        for copy in [&found.client(&world.backup()), &target, &near] {
            let copy = copy.get_properties().await.expect("there");
            assert_eq!(copy.metadata.get("owner"), Some(owner));
            assert_eq!(copy.content_type.as_deref(), kind);
            assert_eq!(copy.content_language.as_deref(), language);
            assert_eq!(copy.cache_control.as_deref(), Some("no-cache"));
            assert_eq!(copy.content_md5, Some([7; 16].into()));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn metadata_for_which_a_copy_has_no_room_are_told() {
    let world = World::new().await;
    let long = "x".repeat(8100);
    world.disk().set_metadata([("a", "1"), ("long", &long), ("z", "2")]).await.expect("set");
    let taken = world.grow(0).await;
    let report = by_ranges(world.mirror()).run().await.expect("mirrored");
    let told =
        MirrorWarning::MetadataLeft { snapshot: taken.to_string(), names: vec!["long".into()] };
    assert_eq!(report.warnings, [told]);
    let chain = world.expect_equal(&[taken]).await;
    let copy = chain.snapshots[0].client(&world.backup()).get_properties().await.expect("there");
    assert_eq!(
        ["a", "long", "z"].map(|name| copy.metadata.get(name)),
        [Some("1"), None, Some("2")]
    );
}
