//! Trouble: sources that change and vanish, answers that are lost, a service that is busy.

use std::time::Duration;

use blobcopy::jobs::{CopyJob, JobEvent, Outcome, Overwrite};
use blobcopy_simulator::Op;

use super::world::World;

/// Runs a job, and changes something once the copy of `a` has been decided.
async fn run_with(job: &CopyJob, mut meanwhile: impl AsyncFnMut(u32)) -> blobcopy::jobs::Report {
    use futures_util::TryStreamExt;
    let mut events = job.run().events();
    let mut started = 0;
    while let Some(event) = events.try_next().await.expect("an event") {
        match event {
            JobEvent::Started { .. } => {
                meanwhile(started).await;
                started += 1;
            }
            JobEvent::Ended(report) => return *report,
            _ => {}
        }
    }
    unreachable!("it has an end")
}

#[tokio::test(start_paused = true)]
async fn a_source_that_changed_is_taken_anew() {
    let world = World::new().await;
    for job in [world.near_job(), world.far_job()] {
        world.fill(["a"]).await;
        let change = async |_| {
            world.later();
            world.from().block_blob_client("a").upload("changed").await.expect("uploaded");
        };
        let report = run_with(&job, change).await;
        assert_eq!((report.count(Outcome::Copied), report.bytes), (1, 7), "{report:?}");
    }
    assert_eq!(World::contents(&world.near_to()).await["a"], b"changed");
    assert_eq!(World::contents(&world.far_to()).await["a"], b"changed");
}

#[tokio::test(start_paused = true)]
async fn a_source_that_never_rests_is_reported() {
    let world = World::new().await;
    world.fill(["a"]).await;
    world.sim.faults().on(Op::PutBlobFromUrl).answer(412, "SourceConditionNotMet");
    let report = world.far_job().run().await.expect("a report");
    assert_eq!((report.count(Outcome::Changed), report.failures), (1, 1), "{report:?}");
    assert_eq!(world.sim.count(Op::PutBlobFromUrl), 4, "the first attempt and three more");
    assert_eq!(report.failed[0].code.as_deref(), Some("SourceConditionNotMet"));
    assert!(report.failed[0].source.ends_with("/near/source/a"), "{:?}", report.failed[0]);
    assert!(report.failed[0].request_id.is_some() && report.failed[0].may_be_mended);
}

#[tokio::test(start_paused = true)]
async fn a_source_that_vanished_is_no_failure() {
    let world = World::new().await;
    for job in [world.near_job(), world.far_job()] {
        world.fill(["a"]).await;
        let vanish = async |_| {
            world.from().blob_client("a").delete().await.expect("deleted");
        };
        let report = run_with(&job, vanish).await;
        assert_eq!((report.count(Outcome::Vanished), report.failures), (1, 0), "{report:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_of_somebody_else_is_not_lost() {
    let world = World::new().await;
    world.fill(["a"]).await;
    world.later();
    for (job, to) in [(world.near_job(), world.near_to()), (world.far_job(), world.far_to())] {
        to.block_blob_client("a").upload("older").await.expect("uploaded");
        let write = async |_| {
            world.later();
            to.block_blob_client("a").upload("theirs").await.expect("uploaded");
        };
        let report = run_with(&job, write).await;
        assert_eq!((report.count(Outcome::Failed), report.failures), (1, 1), "{report:?}");
        assert_eq!(World::contents(&to).await["a"], b"theirs");
        assert!(report.failed[0].may_be_mended);
    }
}

/// A request that got no answer is no proof that the blob at the destination is ours.
#[tokio::test(start_paused = true)]
async fn a_lost_request_makes_no_blob_ours() {
    let world = World::new().await;
    world.fill(["a"]).await;
    world.later();
    world.sim.faults().on(Op::PutBlobFromUrl).reset().times(1);
    let write = async |_| {
        world.later();
        world.far_to().block_blob_client("a").upload("theirs").await.expect("uploaded");
    };
    let report = run_with(&world.far_job().overwrite(Overwrite::Never), write).await;
    assert_eq!((report.count(Outcome::Kept), report.failures), (1, 0), "{report:?}");
    assert_eq!(World::contents(&world.far_to()).await["a"], b"theirs");
}

#[tokio::test(start_paused = true)]
#[allow(clippy::disallowed_methods, reason = "no time passes: it is paused")]
async fn a_source_that_changes_while_an_answer_is_lost_is_copied_as_it_is() {
    let world = World::new().await;
    world.fill(["a"]).await;
    world.later();
    world.sim.faults().on(Op::PutBlobFromUrl).lose_answer().times(1);
    let change = async {
        while world.sim.count(Op::PutBlobFromUrl) == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        world.later();
        world.from().block_blob_client("a").upload("changed").await.expect("uploaded");
    };
    let job = world.far_job();
    let (report, ()) = tokio::join!(job.run().into_future(), change);
    let report = report.expect("a report");
    assert_eq!((report.count(Outcome::Copied), report.failures), (1, 0), "{report:?}");
    assert_eq!(World::contents(&world.far_to()).await["a"], b"changed");
}

#[tokio::test(start_paused = true)]
async fn two_runs_at_once_do_no_harm() {
    for far in [false, true] {
        let world = World::of(|builder| builder.copy_duration(Duration::from_secs(1))).await;
        world.fill((0..50).map(|number| format!("{number:02}"))).await;
        world.later();
        let job = if far { world.far_job() } else { world.near_job() };
        let (one, other) = tokio::join!(job.run().into_future(), job.run().into_future());
        for report in [one.expect("a report"), other.expect("a report")] {
            assert_eq!(report.failures, 0, "{report:?}");
        }
        let to = if far { world.far_to() } else { world.near_to() };
        assert_eq!(World::contents(&to).await, World::contents(&world.from()).await);
    }
}

/// Another run that has proved the same copy may delete the source at any moment.
#[tokio::test(start_paused = true)]
async fn a_move_does_not_copy_over_the_copy_of_another_run() {
    let world = World::new().await;
    for (op, far) in [(Op::CopyBlob, false), (Op::PutBlobFromUrl, true)] {
        world.fill(["a"]).await;
        world.later();
        let job = if far { world.far_job() } else { world.near_job() };
        let other = async |_| {
            let report = job.run().await.expect("a report");
            assert_eq!(report.count(Outcome::Copied), 1, "{report:?}");
        };
        let report = run_with(&job.clone().move_sources(), other).await;
        assert_eq!((report.count(Outcome::Moved), report.failures), (1, 0), "{report:?}");
        let written = world.sim.requests().into_iter().filter(|request| request.op() == op);
        let written = written.filter(|request| request.status() < 300).count();
        assert_eq!(written, 1, "only the other run");
    }
}

#[tokio::test(start_paused = true)]
async fn two_moves_at_once_lose_nothing() {
    for far in [false, true] {
        let world = World::of(|builder| builder.copy_duration(Duration::from_secs(1))).await;
        world.fill((0..50).map(|number| format!("{number:02}"))).await;
        world.later();
        let expected = World::contents(&world.from()).await;
        let job = if far { world.far_job() } else { world.near_job() };
        let job = job.move_sources();
        let (one, other) = tokio::join!(job.run().into_future(), job.run().into_future());
        for report in [one.expect("a report"), other.expect("a report")] {
            assert_eq!(report.failures, 0, "{report:?}");
        }
        let to = if far { world.far_to() } else { world.near_to() };
        assert_eq!(World::contents(&to).await, expected);
        assert!(World::contents(&world.from()).await.is_empty());
    }
}

/// Each MiB gives the attempt a second more.
#[tokio::test(start_paused = true)]
async fn a_long_copy_in_one_request_has_time() {
    let world = World::new().await;
    world.from().block_blob_client("long").upload(vec![7; 32 << 20]).await.expect("uploaded");
    world.later();
    world.sim.faults().on(Op::PutBlobFromUrl).stall(Duration::from_secs(120)).times(1);
    let report = world.far_job().run().await.expect("a report");
    assert_eq!((report.count(Outcome::Copied), report.bytes), (1, 32 << 20), "{report:?}");
    assert_eq!(world.sim.count(Op::PutBlobFromUrl), 1);
}

#[tokio::test(start_paused = true)]
async fn lost_answers_are_found_again() {
    let world = World::new().await;
    world.fill((0..20).map(|number| format!("{number:02}"))).await;
    world.later();
    world.sim.faults().on(Op::CopyBlob).lose_answer().chance(0.5);
    world.sim.faults().on(Op::PutBlobFromUrl).lose_answer().chance(0.5);
    for (job, to) in [(world.near_job(), world.near_to()), (world.far_job(), world.far_to())] {
        let report = job.run().await.expect("a report");
        assert_eq!((report.count(Outcome::Copied), report.failures), (20, 0), "{report:?}");
        assert_eq!(World::contents(&to).await, World::contents(&world.from()).await);
    }
}

#[tokio::test(start_paused = true)]
async fn a_busy_service_fails_no_blob() {
    let world = World::new().await;
    world.fill((0..200).map(|number| format!("{number:03}"))).await;
    world.later();
    world.sim.faults().on_any().throttle(50);
    for job in [world.near_job(), world.far_job()] {
        let report = job.run().await.expect("a report");
        assert_eq!((report.count(Outcome::Copied), report.failures), (200, 0), "{report:?}");
    }
}
