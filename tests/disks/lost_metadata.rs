//! Destinations by ranges whose metadata somebody has replaced, as the portal does.

use std::time::Duration;

use blobcopy::{
    PageBlobClient,
    disks::{MirrorError, MirrorPlan, MirrorRoute::Ranges, MirrorWarning, SnapshotMirror},
};
use blobcopy_simulator::Op;

use super::world::{MIB, World, content};

/// Replaces the metadata of the destination.
async fn wipe(world: &World) {
    world.backup().set_metadata([("owner", "me")]).await.expect("set");
}

async fn plan(world: &World) -> MirrorPlan {
    world.mirror().plan().await.expect("planned")
}

fn lost(plan: &MirrorPlan) -> usize {
    let is_lost = |warning: &&MirrorWarning| matches!(warning, MirrorWarning::MetadataLost { .. });
    plan.warnings.iter().filter(is_lost).count()
}

/// Runs the mirror, which is refused with these words and must not touch the base.
async fn expect_refused(mirror: &SnapshotMirror, base: &PageBlobClient, words: &[&str]) {
    let before = (content(base).await, base.get_properties().await.expect("there"));
    for error in [mirror.plan().await.expect_err("refused"), mirror.run().await.expect_err("too")] {
        let text = error.to_string();
        assert!(matches!(error, MirrorError::Refused { .. }), "{text}");
        assert!(words.iter().all(|word| text.contains(word)), "{text}");
    }
    let after = (content(base).await, base.get_properties().await.expect("there"));
    assert!(before == after, "the base was changed");
}

#[tokio::test(start_paused = true)]
async fn the_mirror_goes_on_from_its_newest_snapshot() {
    let world = World::new().await;
    let mut taken = world.grown(3).await;
    world.mirror().route(Ranges).run().await.expect("mirrored");
    wipe(&world).await;
    let up_to_date = world.mirror().run().await.expect("nothing to do");
    assert_eq!((up_to_date.hops.len(), up_to_date.present), (0, 3));
    taken.push(world.grow(3).await);
    taken.push(world.grow(4).await);
    let planned = plan(&world).await;
    assert_eq!((lost(&planned), planned.route), (1, Ranges), "{planned}");
    assert!(planned.to_string().contains("metadata"), "{planned}");
    assert_eq!((planned.hops[0].bytes, planned.hops[0].whole.clone()), (Some(4096), None));
    let report = world.mirror().run().await.expect("mirrored");
    let moved: Vec<_> = report.hops.iter().map(|hop| (hop.bytes, hop.whole)).collect();
    assert_eq!(moved, [(4096, false), (4096, false)]);
    assert_eq!(report.warnings, planned.warnings);
    world.expect_equal(&taken).await;
    assert_eq!(lost(&plan(&world).await), 0);
    let kept = world.backup().get_properties().await.expect("there").metadata;
    assert_eq!(kept.get("owner"), Some("me"));
}

#[tokio::test(start_paused = true)]
async fn a_hop_that_was_torn_before_is_put_right() {
    let world = World::new().await;
    let mut taken = world.grown(1).await;
    world.mirror().route(Ranges).run().await.expect("mirrored");
    for number in 1..4 {
        let at = number * 5 * MIB - MIB;
        world.disk().upload_pages(at, vec![9; 4096]).await.expect("written");
    }
    let torn = world.grow(1).await;
    drop(world.sim.faults().on(Op::PutPageFromUrl).account("far").after(2).reset());
    world.impatient().in_flight(1).run().await.expect_err("torn");
    world.sim.faults().clear();
    // The lease on the base has run out.
    world.sim.clock().advance(Duration::from_secs(61));
    wipe(&world).await;
    // The snapshot that it went to is gone.
    world.disk().with_snapshot(&torn).delete().await.expect("deleted");
    world.disk().clear_pages(0..16 * MIB).await.expect("cleared");
    taken.push(world.grow(2).await);
    assert_eq!(lost(&plan(&world).await), 1);
    let report = world.mirror().take_lock().run().await.expect("mirrored");
    assert_eq!((report.hops.len(), report.hops[0].whole), (1, false));
    world.expect_equal(&taken).await;
}

#[tokio::test(start_paused = true)]
async fn a_base_that_somebody_uses_now_is_refused_unless_its_metadata_name_the_source() {
    let world = World::new().await;
    let mut taken = world.grown(2).await;
    world.mirror().route(Ranges).run().await.expect("mirrored");
    wipe(&world).await;
    taken.push(world.grow(2).await);
    for what in ["was resized since", "was written since"] {
        let changed = match what {
            "was resized since" => world.backup().resize(20 * MIB).await.map(|_| ()),
            _ => world.backup().upload_pages(8 * MIB, vec![7; 512]).await.map(|_| ()),
        };
        changed.expect("changed");
        let words = [what, "do not delete it", "blobcopy_mirror_source"];
        expect_refused(&world.mirror(), &world.backup(), &words).await;
    }
    let mut source = world.disk().url().expect("a URL");
    source.set_query(None);
    let named = [("blobcopy_mirror_source", source.as_str())];
    world.backup().set_metadata(named).await.expect("set");
    let report = world.mirror().run().await.expect("mirrored");
    assert_eq!((report.hops.len(), report.hops[0].whole), (1, false));
    world.expect_equal(&taken).await;
}

#[tokio::test(start_paused = true)]
async fn a_blob_that_was_created_over_the_base_is_refused() {
    let world = World::new().await;
    world.grown(2).await;
    world.mirror().route(Ranges).run().await.expect("mirrored");
    // Its number is that of a torn hop, as far as can be seen.
    let number = (1 << 63) - 1;
    world.backup().create(MIB).sequence_number(number).await.expect("created over it");
    world.backup().upload_pages(0, vec![7; 512]).await.expect("written");
    world.grow(2).await;
    let words = ["was created anew", "do not delete it"];
    expect_refused(&world.mirror(), &world.backup(), &words).await;
}

#[tokio::test(start_paused = true)]
async fn the_base_of_another_mirror_is_refused() {
    let world = World::new().await;
    world.grown(1).await;
    world.mirror().route(Ranges).run().await.expect("mirrored");
    wipe(&world).await;
    let other = world.near.container_client("vhds").page_blob_client("other.vhd");
    other.create(MIB).await.expect("created");
    other.create_snapshot().await.expect("taken");
    let mirror = SnapshotMirror::new(&other, &world.backup());
    expect_refused(&mirror, &world.backup(), &["is a mirror of", "/vhds/disk0.vhd"]).await;
    // Nor is it a target of a restore.
    let elsewhere = world.far.container_client("backups").page_blob_client("other.vhd");
    SnapshotMirror::new(&other, &elsewhere).run().await.expect("mirrored");
    let backup = blobcopy::disks::DiskBackup::of(&elsewhere);
    let point = blobcopy::disks::RestorePoint::Newest;
    let error = backup.restore(point, &world.backup()).overwrite(true).await.expect_err("refused");
    assert!(error.to_string().contains("is the destination of a mirror"), "{error}");
}
