//! Moves.

use std::{sync::Arc, time::Duration};

use blobcopy::jobs::{CopyJob, Outcome, Route};
use blobcopy_simulator::Op;

use super::{
    line::{Line, sleep},
    world::World,
};

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

/// A blob whose route this is, if it is copied to another account.
async fn blob_of(route: Route, world: &World) -> &'static str {
    let from = world.from();
    match route {
        Route::ServiceCopy => {
            let log = from.append_blob_client("log");
            log.create().await.expect("created");
            log.append_block("a line").await.expect("appended");
            "log"
        }
        Route::BlobFromUrl => {
            world.fill(["small"]).await;
            "small"
        }
        Route::BlocksFromUrl => {
            from.block_blob_client("large").upload(vec![7; 90_000]).await.expect("uploaded");
            "large"
        }
        _ => {
            let disk = from.page_blob_client("disk");
            disk.create(1 << 20).await.expect("created");
            disk.upload_pages(512, vec![7; 512]).await.expect("written");
            "disk"
        }
    }
}

/// What fails, after it was under way for five seconds.
const FIVE_SECONDS: Duration = Duration::from_secs(5);

#[tokio::test(start_paused = true)]
async fn whatever_the_route_a_copy_that_fails_in_the_end_keeps_the_source() {
    let routes = [
        (Route::ServiceCopy, Op::CopyBlob),
        (Route::BlobFromUrl, Op::PutBlobFromUrl),
        (Route::BlocksFromUrl, Op::PutBlockFromUrl),
        (Route::BlocksFromUrl, Op::PutBlockList),
        (Route::PagesFromUrl, Op::PutPageFromUrl),
        (Route::PagesFromUrl, Op::SetBlobMetadata),
    ];
    for (route, op) in routes {
        // It fails always, or once it succeeds although its answer never comes; and last, all
        // succeeds and nobody can prove it.
        for story in ["fails", "is lost", "cannot be proved"] {
            let world = World::of(|builder| builder.copy_duration(FIVE_SECONDS)).await;
            let name = blob_of(route, &world).await;
            let content = World::contents(&world.from()).await;
            world.later();
            let faults = world.sim.faults();
            let rule = faults.on(op);
            match story {
                "fails" if op == Op::CopyBlob => {
                    for _ in 0..8 {
                        world.sim.copies().fail_next(3, "500 OperationCancelled \"it failed\"");
                    }
                    drop(rule);
                }
                "fails" => drop(rule.answer(500, "OperationTimedOut")),
                "is lost" => drop(rule.lose_answer()),
                _ => {
                    drop(rule.drop_header("x-ms-content-crc64"));
                    drop(faults.on(Op::PutBlockFromUrl).drop_header("x-ms-content-crc64"));
                    // The copy is torn after it was made, and before it is compared.
                    drop(faults.on(Op::GetBlob).answer(409, "BlobArchived"));
                }
            }
            let line = Line::new(&world.sim, 1, &Arc::default()).way(FIVE_SECONDS);
            let (from, _, to) = world.through(line);
            let job = CopyJob::new(&from, &to).largest_single(1 << 16).block_size(1 << 14);
            let report = job.move_sources().run().await.expect("a report");
            faults.clear();
            let told = format!("{route:?} {op} {story}: {report:?}");
            let left = World::contents(&world.from()).await;
            if report.count(Outcome::Moved) == 1 {
                // Only what is whole at the destination.
                assert!(story != "fails", "{told}");
                assert_eq!((World::contents(&to).await, left.len()), (content, 0), "{told}");
            } else {
                assert_eq!(left, content, "{told}");
                let failed = report.count(Outcome::Failed);
                assert_eq!((failed, &*report.failed[0].name), (1, name), "{told}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_copy_that_somebody_spoils_before_the_end_keeps_the_source() {
    let world = World::of(|builder| builder.copy_duration(FIVE_SECONDS)).await;
    world.fill(["a"]).await;
    world.near_to().block_blob_client("a").upload("older").await.expect("uploaded");
    world.later();
    let job = world.near_job().move_sources();
    let run = tokio::spawn(async move { job.run().await });
    sleep(Duration::from_secs(2)).await;
    let copy = world.near_to().blob_client("a");
    let pending = copy.get_properties().await.expect("there").copy.expect("pending").copy_id;
    copy.resume_copy(pending).abort().await.expect("aborted");
    copy.block_blob_client().upload("theirs").await.expect("uploaded");
    let report = run.await.expect("no panic").expect("a report");
    assert_eq!(report.count(Outcome::Moved), 0, "{report:?}");
    assert_eq!(World::contents(&world.from()).await["a"], b"a");
    assert_eq!(World::contents(&world.near_to()).await["a"], b"theirs", "{report:?}");
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

#[tokio::test(start_paused = true)]
async fn a_copy_whose_answer_was_lost_is_compared_before_its_source_is_deleted() {
    let world = World::of(|builder| builder.copy_duration(Duration::from_secs(5))).await;
    world.fill(["a"]).await;
    world.later();
    world.sim.faults().on(Op::CopyBlob).lose_answer().times(1);
    let report = world.near_job().move_sources().run().await.expect("a report");
    assert_eq!((report.count(Outcome::Moved), report.failures), (1, 0), "{report:?}");
    assert!(world.sim.count(Op::PutBlockFromUrl) > 0, "it may be another run's");
}
