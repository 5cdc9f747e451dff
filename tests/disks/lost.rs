//! Destinations whose newest snapshot is gone.

use std::time::Duration;

use blobcopy::{PageBlobClient, SnapshotId, disks::Keep};
use blobcopy_simulator::Op;

use super::world::World;

/// Deletes the newest snapshot of the destination.
async fn lose(world: &World) {
    let chain = world.mirror().chain().await.expect("listed");
    let newest: &SnapshotId = &chain.newest().expect("some").snapshot;
    let copy: PageBlobClient = world.backup().with_snapshot(newest);
    copy.delete().await.expect("deleted");
}

#[tokio::test(start_paused = true)]
async fn the_mirror_goes_on_after_its_newest_copy_was_deleted() {
    let world = World::new().await;
    let mut taken = world.grown(3).await;
    world.mirror().run().await.expect("mirrored");
    lose(&world).await;
    let lost = taken.pop().expect("some");
    assert!(world.mirror().run().await.expect("nothing to do").hops.is_empty());
    taken.push(world.grow(3).await);
    let plan = world.mirror().plan().await.expect("planned");
    assert_eq!((plan.left.len(), &plan.left[0].snapshot.id), (1, &lost.to_string()), "{plan}");
    assert!(plan.left[0].because.contains("deleted"), "{plan}");
    assert_eq!(plan.hops[0].from.as_ref().map(|it| it.id.clone()), Some(lost.to_string()));
    let report = world.mirror().run().await.expect("mirrored");
    assert_eq!((report.hops.len(), report.bytes), (1, 4096));
    world.expect_equal(&taken).await;
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_that_the_service_refuses_is_left_out_and_the_next_is_copied() {
    let world = World::of(|builder| builder.copy_duration(Duration::from_secs(60))).await;
    let mut taken = world.grown(4).await;
    world.mirror().run().await.expect("mirrored");
    // The base no longer says which was copied last.
    lose(&world).await;
    lose(&world).await;
    let next = world.grow(4).await;
    let started = world.backup().start_copy_incremental(&world.disk(), next.clone()).await;
    started.expect("started").abort().await.expect("aborted");
    let lost = taken.split_off(2);
    taken.push(next);
    world.sim.forget_requests();
    let report = world.mirror().run().await.expect("mirrored");
    assert_eq!(report.hops.len(), 1);
    assert_eq!(world.sent(Op::IncrementalCopy), lost.len() + 1);
    world.expect_equal(&taken).await;
    let left = world.mirror().plan().await.expect("planned").left;
    let left: Vec<_> = left.into_iter().map(|it| it.snapshot.id).collect();
    assert_eq!(left, lost.iter().map(ToString::to_string).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn a_torn_hop_is_ended_though_what_it_went_from_is_gone_on_both_sides() {
    use blobcopy::disks::MirrorRoute::Ranges;
    let world = World::new().await;
    let mut taken = world.grown(2).await;
    drop(world.sim.faults().on(Op::SetBlobMetadata).account("far").after(4).reset());
    world.impatient().route(Ranges).run().await.expect_err("torn");
    world.sim.faults().clear();
    let pruned = world.mirror().take_lock().prune(&Keep::new().last(1)).await.expect("pruned");
    assert_eq!(pruned.deleted.len(), 1);
    world.disk().with_snapshot(&taken[0]).delete().await.expect("deleted");
    taken.remove(0);
    taken.push(world.grow(2).await);
    let report = world.mirror().run().await.expect("mirrored");
    let moved: Vec<_> = report.hops.iter().map(|hop| hop.bytes).collect();
    assert_eq!(moved, [0, 4096]);
    world.expect_equal(&taken).await;
}
