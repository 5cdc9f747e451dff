//! Series that are broken, and their next generation.

use blobcopy::{
    DeleteSnapshots, SnapshotId,
    disks::{BrokenSeries, MirrorError, MirrorRoute, MirrorWarning, SnapshotMirror},
};

use super::world::{MIB, World};

/// Checks that plan and run say that the series is broken, and copy nothing.
async fn expect_broken(mirror: &SnapshotMirror, world: &World, wanted: BrokenSeries) {
    let plan = mirror.plan().await.expect("planned");
    assert_eq!((plan.broken.clone(), plan.hops.len()), (Some(wanted.clone()), 0), "{plan}");
    assert!(plan.to_string().contains("the series is broken"), "{plan}");
    let started = world.sim.copies().started();
    match mirror.run().await.expect_err("it is broken") {
        MirrorError::SeriesBroken { reason, destination, .. } => {
            assert_eq!(reason, wanted);
            assert!(destination.ends_with("/backups/disk0.vhd"), "{destination}");
        }
        error => panic!("{error}"),
    }
    assert_eq!(world.sim.copies().started(), started);
}

/// Checks that a new generation goes on, once only.
async fn expect_next(mirror: &SnapshotMirror, world: &World, all: &[SnapshotId], generation: u32) {
    let next = mirror.clone().new_generation();
    let plan = next.plan().await.expect("planned");
    assert_eq!((plan.broken.clone(), plan.generation), (None, generation), "{plan}");
    let whole = plan.hops[0].whole.as_deref().expect("a full copy");
    assert!(whole.starts_with("a new generation: "), "{whole}");
    let report = next.run().await.expect("mirrored");
    assert_eq!(report.hops.len(), plan.hops.len());
    assert!(report.hops[0].whole && report.hops[0].destination.generation == generation);
    let chain = world.expect_equal(all).await;
    assert_eq!((chain.generation, chain.route), (generation, Some(MirrorRoute::Incremental)));
    let last = chain.snapshots.last().expect("some");
    assert_eq!(last.blob, format!("disk0.vhd.g{generation}"));
    // It stays there, with or without being told.
    assert!(mirror.run().await.expect("up to date").hops.is_empty());
    assert!(next.run().await.expect("up to date").hops.is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_last_source_snapshot_is_gone() {
    let world = World::new().await;
    let mut taken = world.grown(3).await;
    let mirror = world.mirror();
    mirror.run().await.expect("mirrored");
    world.disk().with_snapshot(&taken[2]).delete().await.expect("deleted");
    // Nothing is to be copied yet: a warning will do.
    let gone = MirrorWarning::LastSourceSnapshotGone { snapshot: taken[2].to_string() };
    assert_eq!(mirror.plan().await.expect("planned").warnings, std::slice::from_ref(&gone));
    let report = mirror.run().await.expect("nothing to do");
    assert_eq!(report.warnings, [gone]);

    let later = world.grow(3).await;
    expect_broken(&mirror, &world, BrokenSeries::LastSnapshotGone).await;
    let next = mirror.clone().new_generation().run().await.expect("mirrored");
    assert_eq!(next.hops[0].destination.blob, "disk0.vhd.g2");
    let chain = mirror.chain().await.expect("listed");
    assert_eq!((chain.snapshots.len(), chain.generation), (4, 2));
    taken.push(later);

    // It breaks again.
    world.disk().with_snapshot(&taken[3]).delete().await.expect("deleted");
    world.grow(4).await;
    expect_broken(&mirror, &world, BrokenSeries::LastSnapshotGone).await;
    mirror.clone().new_generation().run().await.expect("mirrored");
    let chain = mirror.chain().await.expect("listed");
    let blobs: Vec<_> = chain.snapshots.iter().map(|found| found.blob.as_str()).collect();
    assert_eq!(blobs[3..], ["disk0.vhd.g2", "disk0.vhd.g3"]);
}

#[tokio::test(start_paused = true)]
async fn the_source_was_created_anew() {
    let world = World::new().await;
    let mut taken = world.grown(2).await;
    let mirror = world.mirror();
    mirror.run().await.expect("mirrored");
    world.disk().create(MIB).await.expect("created anew");
    taken.push(world.grow(2).await);
    taken.push(world.grow(3).await);
    expect_broken(&mirror, &world, BrokenSeries::SourceRecreated).await;
    expect_next(&mirror, &world, &taken, 2).await;
}

#[tokio::test(start_paused = true)]
async fn a_source_that_was_created_anew_on_the_way_breaks_the_series_there() {
    let world = World::new().await;
    let mut taken = world.grown(2).await;
    world.disk().create(2 * MIB).await.expect("created anew");
    taken.push(world.grow(2).await);
    taken.push(world.grow(3).await);
    let mirror = world.mirror();
    let plan = mirror.plan().await.expect("planned");
    assert_eq!((plan.hops.len(), plan.left.len()), (2, 2), "{plan}");
    let error = mirror.run().await.expect_err("it breaks");
    assert!(matches!(error, MirrorError::SeriesBroken { .. }), "{error}");
    world.expect_equal(&taken[..2]).await;
    expect_next(&mirror, &world, &taken, 2).await;
}

#[tokio::test(start_paused = true)]
async fn one_run_goes_through_several_generations() {
    let world = World::new().await;
    let mut taken = Vec::new();
    for number in 0..3 {
        world.disk().create((2 + number) * MIB).await.expect("created anew");
        taken.push(world.grow(2 * number).await);
        taken.push(world.grow(2 * number + 1).await);
    }
    let plan = world.mirror().new_generation().plan().await.expect("planned");
    let generations: Vec<_> = plan.hops.iter().map(|hop| hop.generation).collect();
    assert_eq!(generations, [1, 1, 2, 2, 3, 3]);
    world.mirror().new_generation().run().await.expect("mirrored");
    let chain = world.expect_equal(&taken).await;
    assert_eq!(chain.generation, 3);
}

#[tokio::test(start_paused = true)]
async fn names_that_only_look_like_generations_are_others() {
    let world = World::new().await;
    let taken = world.grown(2).await;
    let backups = world.far.container_client("backups");
    let names = [".g1", ".g0", ".g02", ".g2x", ".g+2", ".G2", ".g99999999999", "-a", ".h2", "0.g2"];
    for name in names.map(|end| format!("disk0.vhd{end}")) {
        let blob = backups.page_blob_client(&name);
        blob.start_copy_incremental(&world.disk(), &taken[0]).await.expect("started");
    }
    // A block blob of somebody has the very name.
    let notes = backups.block_blob_client("disk0.vhd.g2");
    notes.upload("notes").await.expect("uploaded");
    notes.create_snapshot().await.expect("taken");
    world.mirror().run().await.expect("mirrored");
    let chain = world.expect_equal(&taken).await;
    assert_eq!(chain.generation, 1);
}

#[tokio::test(start_paused = true)]
async fn a_container_with_many_names_is_not_listed_whole() {
    let world = World::new().await;
    let mut taken = world.grown(1).await;
    world.mirror().run().await.expect("mirrored");
    let backups = world.far.container_client("backups");
    for number in 0..6000 {
        let blob = backups.block_blob_client(&format!("disk0.vhd-{number}"));
        blob.upload("x").await.expect("uploaded");
    }
    world.disk().create(MIB).await.expect("created anew");
    taken.push(world.grow(1).await);
    world.mirror().new_generation().run().await.expect("mirrored");
    world.counted();
    let chain = world.mirror().chain().await.expect("listed");
    assert_eq!((chain.generation, chain.snapshots.len()), (2, 2));
    assert_eq!(world.counted(), 2);
    world.expect_equal(&taken).await;
}

#[tokio::test(start_paused = true)]
async fn a_destination_that_no_mirror_made_is_left_alone() {
    let world = World::new().await;
    world.grown(1).await;
    let backups = world.far.container_client("backups");
    backups.block_blob_client("disk0.vhd").upload("mine").await.expect("uploaded");
    let error = world.mirror().run().await.expect_err("refused").to_string();
    assert!(error.contains("exists and was not made by a mirror"), "{error}");
    let delete = world.backup().delete().snapshots(DeleteSnapshots::Include);
    delete.await.expect("deleted");
    world.backup().create(MIB).await.expect("created");
    let error = world.mirror().route(MirrorRoute::Ranges).run().await.expect_err("refused");
    assert!(matches!(error, MirrorError::Refused { .. }), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_destination_keeps_its_route() {
    for (route, other) in [
        (MirrorRoute::Incremental, MirrorRoute::Ranges),
        (MirrorRoute::Ranges, MirrorRoute::Incremental),
    ] {
        let world = World::new().await;
        let mut taken = world.grown(2).await;
        let plan = world.mirror().route(route).plan().await.expect("planned");
        assert!(plan.because.contains("chosen"), "{plan}");
        let report = world.mirror().route(route).run().await.expect("mirrored");
        assert_eq!(report.bytes, plan.bytes(), "{plan}");
        let error = world.mirror().route(other).run().await.expect_err("refused").to_string();
        assert!(error.contains("keeps its route"), "{error}");
        taken.push(world.grow(2).await);
        let plan = world.mirror().plan().await.expect("planned");
        assert_eq!((plan.route, plan.bytes()), (route, 4096), "{plan}");
        assert_eq!(world.mirror().run().await.expect("mirrored").route, route);
        let chain = world.expect_equal(&taken).await;
        assert_eq!(chain.route, Some(route));
        world.counted();
        world.mirror().run().await.expect("up to date");
        assert_eq!(world.counted(), 4);
    }
}

#[tokio::test(start_paused = true)]
async fn a_mirror_by_ranges_of_another_disk_is_refused() {
    let world = World::new().await;
    world.grown(1).await;
    world.mirror().route(MirrorRoute::Ranges).run().await.expect("mirrored");
    let other = world.near.container_client("vhds").page_blob_client("other.vhd");
    other.create(MIB).await.expect("created");
    other.create_snapshot().await.expect("taken");
    let error = SnapshotMirror::new(&other, &world.backup()).run().await.expect_err("refused");
    assert!(error.to_string().contains("is a mirror of"), "{error}");
}
