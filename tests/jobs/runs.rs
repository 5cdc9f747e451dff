//! Runs that meet no trouble.
#![allow(clippy::disallowed_methods, reason = "no time passes: it is paused")]

use std::time::Duration;

use blobcopy::{
    AccessTier, Metadata,
    jobs::{JobEvent, Outcome, Overwrite, Report, Route, Shard, Skipped},
};
use blobcopy_simulator::Op;
use futures_util::TryStreamExt;

use super::world::World;

fn names(count: u32) -> Vec<String> {
    (0..count).map(|number| format!("a/{number:05}")).collect()
}

#[tokio::test(start_paused = true)]
async fn a_container_is_copied_and_nothing_is_sent_twice() {
    let world = World::new().await;
    world.fill(names(300)).await;
    for (job, to, route, op) in [
        (world.near_job(), world.near_to(), Route::ServiceCopy, Op::CopyBlob),
        (world.far_job(), world.far_to(), Route::BlobFromUrl, Op::PutBlobFromUrl),
    ] {
        world.later();
        world.counted();
        let report = job.run().await.expect("a report");
        assert_eq!(report.count(Outcome::Copied), 300, "{report:?}");
        assert_eq!((report.routes[&route], report.failures), (300, 0));
        assert_eq!((report.bytes, report.requests, report.retries), (300 * 7, 302, 0));
        assert_eq!(world.counted(), [(op, 300), (Op::ListBlobs, 2)].into());
        assert_eq!(World::contents(&to).await, World::contents(&world.from()).await);

        world.counted();
        let again = job.run().await.expect("a report");
        assert_eq!((again.count(Outcome::Same), again.bytes), (300, 0), "{again:?}");
        assert_eq!(world.counted(), [(Op::ListBlobs, 2)].into(), "it only lists");
        assert!(job.check().await.expect("compared").is_same());
    }
}

#[tokio::test(start_paused = true)]
async fn a_prefix_gives_way_to_another() {
    let world = World::new().await;
    world.fill(["logs/1", "logs/2", "logs", "other"]).await;
    let job = world.near_job().prefix("logs/").destination_prefix("old/");
    job.run().await.expect("a report");
    let copied: Vec<_> = World::contents(&world.near_to()).await.into_keys().collect();
    assert_eq!(copied, ["old/1", "old/2"]);
}

#[tokio::test(start_paused = true)]
async fn what_is_stored_with_a_blob_is_kept() {
    let world = World::new().await;
    let source = world.from().block_blob_client("a");
    source
        .upload("content")
        .content_type("text/x")
        .content_encoding("gzip")
        .content_language("en")
        .content_disposition("inline")
        .cache_control("no-store")
        .metadata([("owner", "team a")])
        .tags([("stage", "done"), ("a b", "c=d")])
        .tier(AccessTier::Cool)
        .await
        .expect("uploaded");
    world.later();
    for (job, to) in [(world.near_job(), world.near_to()), (world.far_job(), world.far_to())] {
        job.run().await.expect("a report");
        let (from, copy) = (source.get_properties().await, to.blob_client("a"));
        let (from, of) = (from.expect("found"), copy.get_properties().await.expect("found"));
        assert_eq!(of.content_type.as_deref(), Some("text/x"));
        assert_eq!(of.content_encoding, from.content_encoding);
        assert_eq!(of.content_language, from.content_language);
        assert_eq!(of.content_disposition, from.content_disposition);
        assert_eq!(of.cache_control, from.cache_control);
        assert_eq!(of.content_md5, from.content_md5);
        assert_eq!(of.metadata, Metadata::from([("owner", "team a")]));
        assert_eq!(of.access_tier, Some(AccessTier::Cool));
        let tags = copy.get_tags().await.expect("read");
        assert_eq!(tags, source.get_tags().await.expect("read"));
        world.counted();
        assert_eq!(job.run().await.expect("a report").count(Outcome::Same), 1);
        let bare = job.tags(false).tier(false).overwrite(Overwrite::Always);
        bare.run().await.expect("a report");
        assert!(copy.get_tags().await.expect("read").is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn what_differs_is_copied_again_as_the_job_wants() {
    let world = World::new().await;
    world.fill(["equal", "longer", "older"]).await;
    world.later();
    world.near_job().run().await.expect("a report");
    world.later();
    world.near_to().block_blob_client("longer").upload("something longer").await.expect("done");
    world.later();
    world.from().block_blob_client("older").upload("elder").await.expect("done");
    for (overwrite, copied, kept) in [
        (Overwrite::Never, 0, 3),
        (Overwrite::IfNewer, 1, 1),
        (Overwrite::IfDifferent, 1, 0),
        (Overwrite::Always, 3, 0),
    ] {
        world.later();
        let report = world.near_job().overwrite(overwrite).run().await.expect("a report");
        let counts = (report.count(Outcome::Copied), report.count(Outcome::Kept));
        assert_eq!(counts, (copied, kept), "{overwrite:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn some_blobs_are_told_and_left() {
    let world = World::new().await;
    world.fill(["a", "archived", "disk0.vhd.blobcopy"]).await;
    let stub = world.from().block_blob_client("folder");
    stub.upload("").metadata([("hdi_isfolder", "true")]).await.expect("uploaded");
    let archived = world.from().blob_client("archived");
    archived.set_tier(AccessTier::Archive).await.expect("archived");
    let disk = world.from().page_blob_client("base.vhd");
    disk.create(512).await.expect("created");
    let snapshot = disk.create_snapshot().await.expect("taken").snapshot;
    let base = world.from().page_blob_client("incremental");
    base.start_copy_incremental(&disk, &snapshot).await.expect("begun").wait().await.expect("done");
    disk.delete().snapshots(blobcopy::DeleteSnapshots::Include).await.expect("deleted");

    let report = world.near_job().run().await.expect("a report");
    for skipped in
        [Skipped::Archived, Skipped::Marker, Skipped::Directory, Skipped::IncrementalCopy]
    {
        assert_eq!(report.count(Outcome::Skipped(skipped)), 1, "{skipped:?}");
    }
    assert_eq!((report.count(Outcome::Copied), report.failures), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_source_that_is_not_there_yet_is_not_copied() {
    let world = World::of(|builder| builder.copy_duration(Duration::from_secs(60))).await;
    world.fill(["a"]).await;
    let half = world.from().blob_client("half");
    half.start_copy_from_uri(&world.from().blob_client("a")).await.expect("begun");
    let job = world.far_job();
    let report = job.run().await.expect("a report");
    assert_eq!(report.count(Outcome::Skipped(Skipped::PendingCopy)), 1, "{report:?}");
    assert!(report.failures == 1 && report.failed[0].may_be_mended);
    tokio::time::sleep(Duration::from_secs(60)).await;
    let report = job.run().await.expect("a report");
    assert_eq!((report.count(Outcome::Copied), report.failures), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn events_tell_each_blob_and_the_way_to_the_end() {
    let world = World::new().await;
    world.fill(names(50)).await;
    let job = world.near_job().concurrency(4);
    let mut heard = Vec::new();
    let report = job.run().on_event(|event| heard.push(event.clone())).await.expect("a report");
    let finished = heard.iter().filter(|event| matches!(event, JobEvent::Finished(_))).count();
    let started = heard.iter().filter(|event| matches!(event, JobEvent::Started { .. })).count();
    assert_eq!((started, finished), (50, 50));
    assert!(matches!(heard.last(), Some(JobEvent::Ended(ended)) if **ended == report));
    for event in &heard {
        let line = serde_json::to_string(event).expect("a line");
        assert!(line.starts_with("{\"event\":\"") && !line.contains('\n'), "{line}");
    }
    let last = heard.iter().rev().find_map(|event| match event {
        JobEvent::Progress(progress) => Some(*progress),
        _ => None,
    });
    let last = last.expect("progress");
    assert_eq!((last.fraction, last.time_left), (1.0, Some(Duration::ZERO)));

    world.later();
    let mut events = job.overwrite(Overwrite::Always).run().events();
    let mut blobs = 0;
    while let Some(event) = events.try_next().await.expect("an event") {
        blobs += u32::from(matches!(event, JobEvent::Finished(_)));
    }
    assert_eq!(blobs, 50);
}

#[tokio::test(start_paused = true)]
async fn shards_make_the_whole() {
    let world = World::new().await;
    world.fill(names(100)).await;
    world.near_to().block_blob_client("extra").upload("x").await.expect("uploaded");
    let job = world.near_job().prefix("a").destination_prefix("b");
    let whole = job.plan().await.expect("a plan");
    let mut reports = Vec::new();
    for index in 0..3 {
        let shard = Shard::new(index, 3).expect("legal");
        let report = job.clone().shard(shard).run().await.expect("a report");
        assert!((20..50).contains(&report.count(Outcome::Copied)), "{report:?}");
        reports.push(report);
    }
    world.later();
    let again = job.clone().shard(Shard::new(1, 3).expect("legal")).run().await.expect("a report");
    assert_eq!((again.count(Outcome::Copied), again.count(Outcome::Extra)), (0, 0), "{again:?}");
    let merged = Report::merge(reports).expect("one job");
    assert_eq!((merged.count(Outcome::Copied), merged.bytes), (100, whole.bytes()));
    let copied = World::contents(&world.near_to()).await;
    assert_eq!(copied.len(), 101);
    let other = world.near_job().run().await.expect("a report");
    assert!(Report::merge([other.clone(), again]).is_err());
    assert!(Report::merge([other]).is_ok());
}

#[tokio::test(start_paused = true)]
async fn ranges_of_a_job_file_make_the_whole() {
    for hierarchical in [false, true] {
        let world = World::of(|builder| match hierarchical {
            true => builder.hierarchical_order("near"),
            false => builder,
        })
        .await;
        world.fill((0..90).map(|number| format!("a{}{number:02}", ["/", "-"][number % 2]))).await;
        let job = world.far_job().destination_prefix("b/");
        let file = job.cut(3).await.expect("cut");
        let mut reports = Vec::new();
        for index in 0..3 {
            world.later();
            let part = job.part_of(&file, index).expect("a part");
            let report = part.run().await.expect("a report");
            assert!((20..40).contains(&report.count(Outcome::Copied)), "{report:?}");
            let again = part.run().await.expect("a report");
            assert_eq!(again.outcomes, [(Outcome::Same, report.count(Outcome::Copied))].into());
            reports.push(report);
        }
        assert_eq!(Report::merge(reports).expect("one job").count(Outcome::Copied), 90);
        assert!(world.near_job().part_of(&file, 0).is_err() && job.part_of(&file, 3).is_err());
    }
}

#[tokio::test(start_paused = true)]
async fn no_more_blobs_are_in_flight_than_allowed() {
    let world = World::of(|builder| builder.copy_duration(Duration::from_secs(60))).await;
    world.fill(names(20)).await;
    world.sim.copies().hold();
    let job = world.near_job().concurrency(3);
    let run = tokio::spawn(async move { job.run().await });
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(world.sim.copies().pending(), 3);
    world.sim.copies().release();
    let report = run.await.expect("no panic").expect("a report");
    assert_eq!(report.count(Outcome::Copied), 20);
}
