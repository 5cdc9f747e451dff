//! Sources that are not the destination's own, or that are not there.

use std::time::Duration;

use blobcopy::{
    Credential, DeleteSnapshots, PageBlobClient,
    disks::{DiskBackup, Keep, MirrorError, MirrorRoute, SnapshotMirror},
};
use blobcopy_simulator::GrantUrl;
use futures_util::TryStreamExt;

use super::world::{MIB, World};

/// Another disk beside the world's, with a snapshot.
async fn other(world: &World) -> PageBlobClient {
    let other = world.near.container_client("vhds").page_blob_client("other.vhd");
    other.create(MIB).await.expect("created");
    other.create_snapshot().await.expect("taken");
    world.sim.clock().advance(Duration::from_secs(60));
    other
}

/// The names in the container of the backups, without snapshots.
async fn names(world: &World) -> Vec<String> {
    let listed = world.far.container_client("backups").list_blobs().collect_all().await;
    listed.expect("listed").into_iter().map(|item| item.name).collect()
}

fn is_refused(error: &MirrorError, words: &[&str]) {
    let text = error.to_string();
    assert!(matches!(error, MirrorError::Refused { .. }), "{text}");
    assert!(words.iter().all(|word| text.contains(word)), "{text}");
}

#[tokio::test(start_paused = true)]
async fn another_disk_never_goes_on_with_the_chain_of_the_first() {
    for route in [MirrorRoute::Incremental, MirrorRoute::Ranges] {
        let world = World::new().await;
        let other = other(&world).await;
        SnapshotMirror::new(&other, &world.backup()).route(route).run().await.expect("mirrored");
        world.grown(2).await;
        let before = (names(&world).await, world.mirror().chain().await.expect("listed"));
        for mirror in [world.mirror(), world.mirror().new_generation()] {
            let words = ["/vhds/other.vhd", "choose another destination"];
            is_refused(&mirror.plan().await.expect_err("another disk"), &words);
            is_refused(&mirror.run().await.expect_err("another disk"), &words);
        }
        let after = (names(&world).await, world.mirror().chain().await.expect("listed"));
        assert_eq!(before, after, "nothing was written");
    }
}

#[tokio::test(start_paused = true)]
async fn a_disk_under_another_address_goes_on_with_its_chain() {
    for route in [MirrorRoute::Incremental, MirrorRoute::Ranges] {
        let world = World::new().await;
        world.grown(2).await;
        let mirror = SnapshotMirror::new(&world.disk(), &world.backup()).route(route);
        mirror.run().await.expect("mirrored");
        world.grow(2).await;
        let url = world.disk().url().expect("a URL");
        let scheme = if url.scheme() == "https" { "http" } else { "https" };
        let url = format!("{scheme}:{}", url.as_str().split_once(':').expect("a scheme").1);
        let builder = PageBlobClient::builder(url.parse().expect("a URL"));
        let key = Credential::shared_key("near", "bmVhcg==").expect("a key");
        let builder = builder.credential(key).options(world.sim.client_options());
        let other = SnapshotMirror::new(&builder.build().expect("a client"), &world.backup());
        let report = other.run().await.expect("the same disk");
        assert_eq!((report.hops.len(), report.present), (1, 2), "{route}");
        let keep = Keep::new().last(1);
        other.prune_source(&keep).await.expect("the same disk");
        assert_eq!(mirror.run().await.expect("the same disk").hops.len(), 0, "{route}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_generation_of_another_disk_is_left_alone() {
    let world = World::new().await;
    let mut taken = world.grown(3).await;
    let mirror = world.mirror();
    mirror.run().await.expect("mirrored");
    let other = other(&world).await;
    let foreign = world.far.container_client("backups").page_blob_client("disk0.vhd.g2");
    let id = other.create_snapshot().await.expect("taken").snapshot;
    let mut copy = foreign.start_copy_incremental(&other, id).await.expect("started");
    copy.wait().await.expect("copied");
    assert_eq!(world.expect_equal(&taken).await.generation, 1);
    let warnings = mirror.plan().await.expect("planned").warnings;
    assert!(warnings.iter().any(|it| it.to_string().contains("disk0.vhd.g2")), "{warnings:?}");

    let kept = DiskBackup::of(&world.backup());
    let pruned = kept.prune(&Keep::new().last(1)).await.expect("pruned");
    assert_eq!(pruned.deleted.len(), 2);
    let first = taken.pop().expect("some");
    let mut left = vec![first.clone()];
    world.expect_equal(&left).await;
    let snapshots = foreign.list_snapshots().collect_all().await.expect("listed");
    assert_eq!(snapshots.len(), 1, "it is not ours");

    // The next generation gets a name that is free.
    world.disk().with_snapshot(&first).delete().await.expect("deleted");
    let later = world.grow(4).await;
    let report = mirror.new_generation().run().await.expect("mirrored");
    assert_eq!(report.hops[0].destination.blob, "disk0.vhd.g3");
    left.push(later);
    let chain = world.mirror().chain().await.expect("listed");
    let equals: Vec<_> = chain.snapshots.iter().filter_map(|it| it.equals.clone()).collect();
    assert_eq!(equals, left.iter().map(ToString::to_string).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn the_blob_of_another_disk_is_not_pruned_with_an_old_generation() {
    let world = World::new().await;
    let taken = world.grown(1).await;
    world.mirror().run().await.expect("mirrored");
    let other = other(&world).await;
    let foreign = world.far.container_client("backups").page_blob_client("disk0.vhd.g2");
    let id = other.create_snapshot().await.expect("taken").snapshot;
    let mut copy = foreign.start_copy_incremental(&other, id).await.expect("started");
    copy.wait().await.expect("copied");
    for copy in foreign.list_snapshots().collect_all().await.expect("listed") {
        foreign.with_snapshot(&copy.snapshot).delete().await.expect("deleted");
    }
    world.disk().with_snapshot(&taken[0]).delete().await.expect("deleted");
    world.grow(1).await;
    world.mirror().new_generation().run().await.expect("mirrored");
    let kept = DiskBackup::of(&world.backup());
    let keep = Keep::new().last(1);
    assert_eq!(kept.plan_prune(&keep).await.expect("planned").bases, ["disk0.vhd"]);
    let pruned = kept.prune(&keep).await.expect("pruned");
    assert_eq!(pruned.bases, ["disk0.vhd"]);
    assert!(foreign.exists().await.expect("asked"), "it is not ours");
}

#[tokio::test(start_paused = true)]
async fn a_name_that_is_taken_is_passed_over_by_the_next_generation() {
    let world = World::new().await;
    let taken = world.grown(1).await;
    world.mirror().run().await.expect("mirrored");
    let plain = world.far.container_client("backups").page_blob_client("disk0.vhd.g2");
    plain.create(MIB).await.expect("created");
    world.disk().with_snapshot(&taken[0]).delete().await.expect("deleted");
    world.grow(1).await;
    let report = world.mirror().new_generation().run().await.expect("mirrored");
    assert_eq!(report.hops[0].destination.blob, "disk0.vhd.g3");
    assert!(world.mirror().run().await.expect("up to date").hops.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_source_that_is_not_there_is_refused_before_anything_is_written() {
    let world = World::new().await;
    let none = world.near.container_client("vhds").page_blob_client("none.vhd");
    let mirror = SnapshotMirror::new(&none, &world.backup());
    is_refused(&mirror.plan().await.expect_err("none"), &["none.vhd", "does not exist"]);
    is_refused(&mirror.run().await.expect_err("none"), &["none.vhd", "does not exist"]);
    assert!(names(&world).await.is_empty());

    // One that has no snapshots yet is told, and no more.
    let plan = world.mirror().plan().await.expect("planned");
    assert!(plan.warnings.iter().any(|it| it.to_string().contains("no snapshots")), "{plan}");
    let report = world.mirror().run().await.expect("nothing to do");
    assert_eq!(report.warnings, plan.warnings);
    world.grow(0).await;
    let report = world.mirror().run().await.expect("mirrored");
    assert_eq!((report.hops.len(), report.warnings.len()), (1, 0));
    world.disk().delete().snapshots(DeleteSnapshots::Include).await.expect("deleted");
    let error = world.mirror().run().await.expect_err("it is gone");
    is_refused(&error, &["disk0.vhd", "does not exist"]);
}

#[tokio::test(start_paused = true)]
async fn a_first_run_looks_at_its_source_before_it_makes_the_marker() {
    let world = World::new().await;
    world.counted();
    let events: Vec<_> = world.mirror().run().events().try_collect().await.expect("nothing");
    assert!(!events.is_empty());
    // The lease is refused, both sides are listed, the marker is created; then as always. A source
    // that has no snapshots is looked at after each listing.
    assert_eq!(world.counted(), 4 + 4 + 2);
}

#[tokio::test(start_paused = true)]
async fn one_managed_snapshot_as_a_page_blob_is_refused_with_what_to_give() {
    let world = World::new().await;
    let disk = world.sim.managed_disks().create("group", "disk0", MIB);
    disk.snapshot("disk0-1");
    for form in [GrantUrl::Blob, GrantUrl::BlobWithPolicy, GrantUrl::Snapshot] {
        disk.grant_urls(form);
        let mut url = disk.snapshots()[0].grant(Duration::from_secs(60)).expect("granted");
        // A client of a snapshot is refused anyhow.
        let query = url.query().expect("a SAS").to_owned();
        let pairs = query.split('&').filter(|pair| !pair.starts_with("snapshot="));
        url.set_query(Some(&pairs.collect::<Vec<_>>().join("&")));
        let builder = PageBlobClient::builder(url).options(world.sim.client_options());
        let mirror = SnapshotMirror::new(&builder.build().expect("a client"), &world.backup());
        let words = ["ManagedSnapshots", "--resource-group", "--managed-snapshots"];
        is_refused(&mirror.plan().await.expect_err("one snapshot"), &words);
        is_refused(&mirror.run().await.expect_err("one snapshot"), &words);
    }
    assert!(names(&world).await.is_empty(), "no marker is left");
}
