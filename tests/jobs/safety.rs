//! What a job refuses, and what it never deletes.

use blobcopy::{
    ErrorCode,
    jobs::{CopyJob, JobEvent, Outcome, Skipped},
};
use blobcopy_simulator::Op;
use futures_util::TryStreamExt;

use super::world::World;

#[tokio::test(start_paused = true)]
async fn a_container_is_not_copied_into_itself() {
    let world = World::new().await;
    let from = world.from();
    let into_itself =
        |prefix: &str, to: &str| CopyJob::new(&from, &from).prefix(prefix).destination_prefix(to);
    for (job, rule) in [
        (CopyJob::new(&from, &from), "inside the source"),
        (into_itself("", "copy/"), "inside the source"),
        (into_itself("a/", "a/b/"), "inside the source"),
        (into_itself("a/b/", "a/").delete_extra(1), "hold the source"),
        (into_itself("a/b/", "").delete_extra(1), "hold the source"),
        (world.near_job().move_sources().delete_extra(1), "combined with move_sources"),
    ] {
        let error = job.run().await.expect_err(rule).to_string();
        assert!(error.contains(rule), "{error}");
        assert!(job.plan().await.is_err(), "{rule}");
    }
    world.fill(["a/b/1"]).await;
    for (job, blobs) in [(into_itself("a/b/", "a/"), 1), (into_itself("a/", "b/"), 2)] {
        let report = job.run().await.expect("beside each other");
        assert_eq!(report.count(Outcome::Copied), blobs);
    }
}

#[tokio::test(start_paused = true)]
async fn no_copy_overwrites_another_source() {
    let world = World::new().await;
    world.fill(["a/a/y", "a/y"]).await;
    world.later();
    let job = CopyJob::new(&world.from(), &world.from()).prefix("a/").destination_prefix("");
    let report = job.run().await.expect("a report");
    assert_eq!(report.count(Outcome::Copied), 1, "{report:?}");
    assert_eq!(report.count(Outcome::Skipped(Skipped::Overlap)), 1, "{report:?}");
    let failed = &report.failed[0];
    assert!(failed.name == "a/a/y" && !failed.may_be_mended, "{failed:?}");
    let contents = World::contents(&world.from()).await;
    assert_eq!((&*contents["a/y"], &*contents["y"]), (&b"a/y"[..], &b"a/y"[..]));
}

#[tokio::test(start_paused = true)]
async fn a_missing_container_is_told_or_created() {
    let world = World::new().await;
    world.fill(["a"]).await;
    world.near_to().delete().await.expect("deleted");
    world.near.container_client("nowhere").exists().await.expect("looked");
    let job = CopyJob::new(&world.from(), &world.near.container_client("new"));
    let error = job.run().await.expect_err("missing");
    assert_eq!(error.code(), Some(&ErrorCode::ContainerNotFound), "{error}");
    let report = job.create(true).run().await.expect("created");
    assert_eq!(report.count(Outcome::Copied), 1);
    let nothing = CopyJob::new(&world.near.container_client("nowhere"), &world.far_to());
    let error = nothing.create(true).run().await.expect_err("no source");
    assert_eq!(error.code(), Some(&ErrorCode::ContainerNotFound), "{error}");
}

#[tokio::test(start_paused = true)]
async fn extra_blobs_are_deleted_only_within_the_limit() {
    let world = World::new().await;
    world.fill(["a", "b"]).await;
    for name in ["extra1", "extra2", "a.blobcopy"] {
        world.near_to().block_blob_client(name).upload("x").await.expect("uploaded");
    }
    world.later();
    let report = world.near_job().run().await.expect("a report");
    assert_eq!((report.count(Outcome::Extra), report.count(Outcome::Deleted)), (2, 0));
    let report = world.near_job().delete_extra(1).run().await.expect("a report");
    assert_eq!((report.count(Outcome::Extra), report.count(Outcome::Deleted)), (2, 0));
    let within = |event: &JobEvent| {
        if let JobEvent::Progress(progress) = event {
            assert!(progress.blobs <= progress.of_blobs, "{progress:?}");
        }
    };
    let job = world.near_job().delete_extra(2);
    let report = job.run().on_event(within).await.expect("a report");
    assert_eq!((report.count(Outcome::Extra), report.count(Outcome::Deleted)), (0, 2));
    let left: Vec<_> = World::contents(&world.near_to()).await.into_keys().collect();
    assert_eq!(left, ["a", "a.blobcopy", "b"]);
}

#[tokio::test(start_paused = true)]
async fn names_that_cannot_be_used_are_reported_by_name() {
    let world = World::new().await;
    world.fill(["a", "b"]).await;
    // The destination's name would get a dot at its end in a segment.
    let job = world.near_job().prefix("a").destination_prefix("x./a");
    let report = job.run().await.expect("a report");
    assert_eq!((report.failures, report.failed[0].name.as_str()), (1, "a"));
    assert!(!report.failed[0].may_be_mended);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_deleted_unless_the_service_says_that_the_source_is_not_there() {
    let world = World::new().await;
    world.fill(["a"]).await;
    world.near_to().block_blob_client("extra").upload("x").await.expect("uploaded");
    world.later();
    let job = world.near_job().delete_extra(1);
    // A gateway's 404, and one for the container: neither is about the blob.
    for code in ["", "ContainerNotFound", "ResourceNotFound"] {
        world.sim.faults().on(Op::GetBlobProperties).answer(404, code);
        let report = job.run().await.expect("a report");
        assert_eq!((report.count(Outcome::Failed), report.failures), (1, 1), "{code}: {report:?}");
        world.sim.faults().clear();
    }
    // The source has come since it was listed.
    let mut events = job.run().events();
    while let Some(event) = events.try_next().await.expect("an event") {
        if matches!(event, JobEvent::Listed { is_complete: true, .. }) {
            world.from().block_blob_client("extra").upload("x").await.expect("uploaded");
        }
    }
    assert!(world.near_to().blob_client("extra").exists().await.expect("looked"));
    assert_eq!(world.sim.count(Op::DeleteBlob), 0);
}
