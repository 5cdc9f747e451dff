//! Copies that are pending when a run begins, or that somebody else starts under way.

use std::time::Duration;

use blobcopy::{
    SnapshotId,
    disks::{MirrorError, MirrorEvent, MirrorWarning},
};
use blobcopy_simulator::Op;
use futures_util::StreamExt;

use super::world::World;

async fn slow() -> (World, Vec<SnapshotId>) {
    let world = World::of(|builder| builder.copy_duration(Duration::from_secs(300))).await;
    let taken = world.grown(3).await;
    (world, taken)
}

#[tokio::test(start_paused = true)]
async fn a_pending_copy_of_the_next_snapshot_is_adopted() {
    let (world, taken) = slow().await;
    let started = world.backup().start_copy_incremental(&world.disk(), &taken[0]).await;
    let id = started.expect("started").id().clone();
    let report = world.mirror().run().await.expect("mirrored");
    assert_eq!(report.hops.len(), 3);
    assert!(report.hops[0].resumed && !report.hops[1].resumed);
    assert_eq!(report.hops[0].copy_id, Some(id));
    assert_eq!(world.sim.copies().started(), 3);
    world.expect_equal(&taken).await;
}

#[tokio::test(start_paused = true)]
async fn a_pending_copy_of_another_snapshot_is_waited_for() {
    let (world, taken) = slow().await;
    let backup = world.backup();
    backup.start_copy_incremental(&world.disk(), &taken[1]).await.expect("started");
    let report = world.mirror().run().await.expect("mirrored");
    assert_eq!((report.hops.len(), report.present), (1, 1));
    world.expect_equal(&taken[1..]).await;
    let plan = world.mirror().plan().await.expect("planned");
    assert_eq!(plan.left.len(), 1);
    assert!(plan.left[0].because.contains("older"), "{plan}");
}

#[tokio::test(start_paused = true)]
async fn a_copy_that_another_starts_under_way_changes_the_plan() {
    let (world, taken) = slow().await;
    let mut plans = 0;
    let mut events = world.mirror().run().events();
    let mut started = false;
    while let Some(event) = events.next().await {
        match event.expect("it goes well") {
            MirrorEvent::Planned(_) => plans += 1,
            MirrorEvent::HopDone(done) if done.source.id == taken[0].as_str() && !started => {
                let backup = world.backup();
                let other = backup.start_copy_incremental(&world.disk(), &taken[2]).await;
                other.expect("started");
                started = true;
            }
            _ => {}
        }
    }
    assert_eq!(plans, 2);
    world.expect_equal(&[taken[0].clone(), taken[2].clone()]).await;
}

#[tokio::test(start_paused = true)]
async fn a_destination_that_others_always_copy_into_is_left_to_another_run() {
    let (world, _) = slow().await;
    let starts = world.sim.faults().on(Op::IncrementalCopy);
    drop(starts.answer(409, "PendingCopyOperation"));
    let error = world.mirror().run().await.expect_err("never its turn");
    assert!(matches!(error, MirrorError::NotNow { .. }) && error.is_passing(), "{error:?}");
    assert!(error.to_string().contains("others copy into it all the time: "), "{error}");
    world.sim.faults().clear();
    assert_eq!(world.mirror().run().await.expect("its turn").hops.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_start_whose_answer_is_lost_copies_once() {
    let (world, taken) = slow().await;
    world.sim.faults().on(Op::IncrementalCopy).lose_answer().times(1);
    let report = world.mirror().run().await.expect("mirrored");
    assert!(report.hops[0].resumed);
    assert_eq!(world.sim.copies().started(), 3);
    world.expect_equal(&taken).await;
}

#[tokio::test(start_paused = true)]
async fn a_copy_that_failed_leaves_no_snapshot_and_is_made_again() {
    let (world, taken) = slow().await;
    world.sim.copies().fail_next(4096, "500 InternalServerError \"broken\"");
    let error = world.mirror().run().await.expect_err("it failed");
    assert!(error.to_string().contains("InternalServerError"), "{error}");
    let plan = world.mirror().plan().await.expect("planned");
    assert_eq!(plan.hops.len(), 3, "{plan}");
    assert!(plan.chain.snapshots.iter().all(|found| found.equals.is_none()), "{:?}", plan.chain);
    world.mirror().run().await.expect("mirrored");
    world.expect_equal(&taken).await;

    world.sim.copies().fail_next(4096, "500 InternalServerError \"broken\"");
    let taken = [taken, vec![world.grow(3).await]].concat();
    world.mirror().run().await.expect_err("it failed");
    world.mirror().run().await.expect("mirrored");
    world.expect_equal(&taken).await;
}

#[tokio::test(start_paused = true)]
async fn a_policy_that_would_remove_what_the_next_copy_needs_is_warned_of() {
    use blobcopy::disks::Keep;
    let (world, taken) = slow().await;
    world.mirror().run().await.expect("mirrored");
    let keep = Keep::new().last(2);
    let mirror = world.mirror().pruning_source(&keep);
    assert!(mirror.plan().await.expect("planned").warnings.is_empty());
    world.grow(3).await;
    assert!(mirror.plan().await.expect("planned").warnings.is_empty());
    world.grow(4).await;
    let snapshot = taken[2].to_string();
    let warning = MirrorWarning::AboutToBePruned { snapshot };
    assert_eq!(mirror.plan().await.expect("planned").warnings, std::slice::from_ref(&warning));
    assert_eq!(mirror.run().await.expect("mirrored").warnings, [warning]);
    assert!(mirror.plan().await.expect("planned").warnings.is_empty());
}
