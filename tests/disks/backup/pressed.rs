//! A prune beside a restore, and snapshots that the service keeps.
#![allow(clippy::disallowed_methods, reason = "no time passes: it is paused")]

use std::time::Duration;

use blobcopy::{
    PageBlobClient,
    disks::{DiskBackup, Keep, PruneFate, RestorePoint, RestoreReport},
};
use blobcopy_simulator::Op;
use tokio::time::sleep;

use super::{ROUTES, World, texts};
use crate::disks::world::content;

const MINUTE: Duration = Duration::from_secs(60);

/// A backup of three snapshots, where a copy takes an hour from now on.
async fn slow(route: blobcopy::disks::MirrorRoute) -> (World, Vec<blobcopy::SnapshotId>) {
    let world = World::of(|builder| builder.copy_duration(60 * MINUTE)).await;
    let taken = world.grown(3).await;
    world.by(route).run().await.expect("mirrored");
    (world, taken)
}

async fn notes(world: &World) -> usize {
    let items = world.backup().container_client().list_blobs().collect_all().await;
    let names = items.expect("listed").into_iter().map(|item| item.name);
    names.filter(|name| name.contains(".blobcopy-read-")).count()
}

fn begun(world: &World, target: &PageBlobClient) -> tokio::task::JoinHandle<RestoreReport> {
    let (kept, target) = (world.kept(), target.clone());
    tokio::spawn(async move {
        let point = RestorePoint::from(&kept.chain().await.expect("listed").snapshots.remove(0));
        kept.restore(point, &target).await.expect("restored")
    })
}

#[tokio::test(start_paused = true)]
async fn a_prune_leaves_the_snapshot_that_is_being_restored() {
    for route in ROUTES {
        let (world, taken) = slow(route).await;
        let target = world.beside("restored.vhd");
        let restore = begun(&world, &target);
        sleep(10 * MINUTE).await;
        let keep = Keep::new().last(1);
        let plan = world.kept().plan_prune(&keep).await.expect("planned");
        assert_eq!(plan.snapshots[0].fate, PruneFate::BeingRead, "{plan}");
        assert!(plan.to_string().contains("a restore reads it"), "{plan}");
        let report = world.kept().prune(&keep).await.expect("pruned");
        assert_eq!((report.deleted.len(), report.being_read.len()), (1, 1), "{report}");
        assert_eq!((report.kept, report.left), (1, 0), "{report}");
        assert!(report.to_string().contains("1 left while a restore reads"), "{report}");

        let restored = restore.await.expect("it ends");
        assert!(restored.is_identical() && restored.kept_from_prunes, "{restored}");
        assert!(content(&target).await == content(&world.disk().with_snapshot(&taken[0])).await);
        assert_eq!(notes(&world).await, 0, "nothing is left");
        let report = world.kept().prune(&keep).await.expect("pruned");
        assert_eq!((report.deleted.len(), report.being_read.len()), (1, 0), "{report}");
        assert_eq!(world.equals().await, texts(&taken[2..]));
    }
}

#[tokio::test(start_paused = true)]
async fn the_note_of_a_restore_that_died_is_void_after_a_minute_and_goes() {
    let (world, taken) = slow(ROUTES[0]).await;
    let restore = begun(&world, &world.beside("restored.vhd"));
    sleep(10 * MINUTE).await;
    // It can no longer renew its lease, nor release it.
    world.sim.faults().on(Op::LeaseBlob).answer(403, "AuthorizationFailure");
    sleep(2 * MINUTE).await;
    restore.abort();
    world.sim.faults().clear();
    assert_eq!(notes(&world).await, 1);
    let report = world.kept().prune(&Keep::new().last(1)).await.expect("pruned");
    assert_eq!((report.deleted.len(), report.being_read.len()), (2, 0), "{report}");
    assert_eq!(notes(&world).await, 0);
    assert_eq!(world.equals().await, texts(&taken[2..]));
}

#[tokio::test(start_paused = true)]
async fn who_may_not_write_a_note_restores_and_is_told() {
    let world = World::new().await;
    world.grown(1).await;
    world.mirror().run().await.expect("mirrored");
    world.sim.faults().on(Op::PutBlob).times(1).answer(403, "AuthorizationPermissionMismatch");
    let near = world.near.container_client("vhds").page_blob_client("restored.vhd");
    let report = world.kept().restore(RestorePoint::Newest, &near).await.expect("restored");
    assert!(report.is_identical() && !report.kept_from_prunes, "{report}");
    assert!(report.to_string().contains("prunes did not know"), "{report}");
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_that_the_service_keeps_does_not_stop_the_prune() {
    let world = World::new().await;
    let taken = world.grown(5).await;
    world.mirror().run().await.expect("mirrored");
    let keep = Keep::new().last(1);
    let held = || {
        world.sim.faults().on(Op::DeleteBlob).times(1).answer(409, "BlobImmutableDueToPolicy");
    };
    held();
    let report = world.kept().prune(&keep).await.expect("it goes on");
    assert_eq!((report.deleted.len(), report.refused.len(), report.left), (3, 1, 0), "{report}");
    let refused = &report.refused[0];
    assert_eq!(refused.code.as_deref(), Some("BlobImmutableDueToPolicy"));
    assert!(refused.name.starts_with("disk0.vhd@"), "{refused}");
    assert!(report.to_string().contains("1 kept by the service: disk0.vhd@"), "{report}");
    assert_eq!(world.equals().await, texts(&[taken[0].clone(), taken[4].clone()]));
    // Those that are kept do not use up what may be deleted.
    world.grow(6).await;
    world.mirror().run().await.expect("mirrored");
    held();
    let report = world.kept().prune(&keep).max_delete(1).await.expect("pruned");
    assert_eq!((report.deleted.len(), report.refused.len()), (1, 1), "{report}");

    held();
    let report = world.mirror().prune_source(&keep).also_absent().await.expect("it goes on");
    assert_eq!((report.deleted.len(), report.refused.len(), report.left), (4, 1, 0), "{report}");
    assert!(report.to_string().contains("1 kept by the service"), "{report}");
}

#[tokio::test(start_paused = true)]
async fn what_was_deleted_before_an_error_is_reported() {
    let world = World::new().await;
    world.grown(4).await;
    world.mirror().run().await.expect("mirrored");
    let keep = Keep::new().last(1);
    let down = || {
        let faults = world.sim.faults();
        faults.on(Op::DeleteBlob).after(1).answer(403, "AuthorizationFailure");
    };
    down();
    let report = world.kept().prune(&keep).await.expect("a report");
    assert_eq!((report.deleted.len(), report.left), (1, 2), "{report}");
    assert!(report.stopped.as_deref().is_some_and(|why| why.contains("403")), "{report}");
    world.sim.faults().clear();
    down();
    let report = world.mirror().prune_source(&keep).also_absent().await.expect("a report");
    assert_eq!((report.deleted.len(), report.left), (1, 2), "{report}");
    assert!(report.to_string().contains("it stopped: "), "{report}");
    world.sim.faults().clear();
    world.sim.faults().on(Op::DeleteBlob).answer(403, "AuthorizationFailure");
    world.kept().prune(&keep).await.expect_err("nothing was done");
}

#[tokio::test(start_paused = true)]
async fn a_number_of_requests_that_cannot_work_is_refused_before_anything_is_sent() {
    let world = World::new().await;
    world.grown(1).await;
    world.mirror().run().await.expect("mirrored");
    world.sim.forget_requests();
    for bad in [0, 1, 65] {
        let target = world.beside("restored.vhd");
        let kept: DiskBackup = world.kept();
        kept.restore(RestorePoint::Newest, &target).in_flight(bad).await.expect_err("refused");
        kept.drill().in_flight(bad).await.expect_err("refused");
        world.mirror().verify().in_flight(bad).await.expect_err("refused");
    }
    assert_eq!(world.counted(), 0);
}
