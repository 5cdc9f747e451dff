//! Copies that take time, and runs that are stopped.
#![allow(clippy::disallowed_methods, reason = "no time passes: it is paused")]

use std::time::Duration;

use blobcopy::jobs::{Difference, Outcome};

use super::world::World;

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test(start_paused = true)]
async fn a_pending_copy_of_an_earlier_run_is_followed() {
    let world = World::of(|builder| builder.copy_duration(MINUTE)).await;
    world.fill(["a", "b"]).await;
    let job = world.near_job();
    let stopped = tokio::time::timeout(Duration::from_secs(5), job.run().into_future()).await;
    assert!(stopped.is_err() && world.sim.copies().pending() == 2);
    let report = job.run().await.expect("a report");
    assert_eq!((report.count(Outcome::Adopted), report.bytes), (2, 0), "{report:?}");
    assert_eq!(world.sim.copies().started(), 2);
    assert_eq!(job.run().await.expect("a report").count(Outcome::Same), 2);
}

#[tokio::test(start_paused = true)]
async fn a_failed_copy_is_never_the_same() {
    let world = World::new().await;
    world.fill(["a"]).await;
    world.later();
    let copy = world.near_to().blob_client("a");
    world.sim.copies().fail_next(0, "500 OperationCancelled \"it failed\"");
    let started = copy.start_copy_from_uri(&world.from().blob_client("a")).await;
    assert!(started.expect("begun").wait().await.is_err());
    let report = world.near_job().run().await.expect("a report");
    assert_eq!(report.count(Outcome::Copied), 1, "{report:?}");
    assert_eq!(World::contents(&world.near_to()).await["a"], b"a");
}

#[tokio::test(start_paused = true)]
async fn a_copy_that_has_not_ended_is_a_difference() {
    let world = World::of(|builder| builder.copy_duration(MINUTE)).await;
    world.fill(["a"]).await;
    let copy = world.near_to().blob_client("a");
    let mut begun = copy.start_copy_from_uri(&world.from().blob_client("a")).await.expect("begun");
    for content in [false, true] {
        let check = world.near_job().check().content(content).await.expect("compared");
        assert!(!check.is_same() && check.not_compared == 0, "{check:?}");
        assert_eq!(check.differences[0].difference, Difference::Unfinished);
    }
    begun.abort().await.expect("aborted");
}

/// A run that is stopped anywhere and run again ends with the destination equal.
#[tokio::test(start_paused = true)]
async fn a_run_that_is_stopped_anywhere_goes_on() {
    for steps in 1..40 {
        let world = World::of(|builder| builder.copy_duration(Duration::from_millis(300))).await;
        world.fill((0..8).map(|number| format!("{number}"))).await;
        world.later();
        let job = world.near_job().concurrency(3);
        let stop = Duration::from_millis(steps * 20);
        let _ = tokio::time::timeout(stop, job.run().into_future()).await;
        let report = job.run().await.expect("a report");
        assert_eq!(report.failures, 0, "{report:?}");
        assert_eq!(World::contents(&world.near_to()).await, World::contents(&world.from()).await);
        assert_eq!(world.sim.copies().started(), 8, "stopped after {stop:?}");
        let last = job.run().await.expect("a report");
        assert_eq!(last.count(Outcome::Same), 8, "{last:?}");
    }
}
