//! Moves.

use std::time::Duration;

use blobcopy::jobs::Outcome;
use blobcopy_simulator::Op;

use super::world::World;

#[tokio::test(start_paused = true)]
async fn a_move_leaves_only_the_copies() {
    let world = World::new().await;
    for far in [false, true] {
        world.fill(["a", "b"]).await;
        let expected = World::contents(&world.from()).await;
        let (job, to) = match far {
            true => (world.far_job(), world.far_to()),
            false => (world.near_job(), world.near_to()),
        };
        let report = job.move_sources().run().await.expect("a report");
        assert_eq!(report.count(Outcome::Moved), 2, "{report:?}");
        assert_eq!(World::contents(&to).await, expected);
        assert!(World::contents(&world.from()).await.is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn a_copy_that_fails_after_a_while_keeps_the_source() {
    let world = World::of(|builder| builder.copy_duration(Duration::from_secs(5))).await;
    world.fill(["a"]).await;
    for _ in 0..8 {
        world.sim.copies().fail_next(0, "500 OperationCancelled \"it failed\"");
    }
    let report = world.near_job().move_sources().run().await.expect("a report");
    assert_eq!((report.count(Outcome::Failed), report.failures), (1, 1), "{report:?}");
    assert!(world.from().blob_client("a").exists().await.expect("looked"));
    assert!(report.failed[0].message.contains("it failed"), "{report:?}");
    assert_eq!(world.sim.count(Op::DeleteBlob), 0);
}

#[tokio::test(start_paused = true)]
async fn a_source_with_snapshots_or_written_meanwhile_is_kept() {
    let world = World::new().await;
    world.fill(["a", "b"]).await;
    world.from().blob_client("a").create_snapshot().await.expect("taken");
    let report = world.near_job().move_sources().run().await.expect("a report");
    assert_eq!(report.count(Outcome::SourceKept), 1, "{report:?}");
    assert_eq!((report.count(Outcome::Moved), report.failures), (1, 0));
    assert!(world.from().blob_client("a").exists().await.expect("looked"));
}

#[tokio::test(start_paused = true)]
async fn what_an_earlier_run_copied_and_did_not_delete_is_moved() {
    let world = World::new().await;
    world.fill(["a"]).await;
    world.later();
    world.near_job().run().await.expect("a report");
    let report = world.near_job().move_sources().run().await.expect("a report");
    assert_eq!(report.count(Outcome::Moved), 1, "{report:?}");
    let report = world.near_job().move_sources().run().await.expect("a report");
    assert_eq!((report.outcomes.len(), report.count(Outcome::Extra)), (1, 1), "{report:?}");
}
