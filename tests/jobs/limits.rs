//! Budgets, and settings that are out of range.

use std::time::Duration;

use blobcopy::{
    AccessTier,
    jobs::{Budget, JobEvent, Outcome, verify},
};
use blobcopy_simulator::Op;

use super::world::World;

const MIB: u64 = 1 << 20;

#[allow(clippy::disallowed_methods, reason = "no time passes: it is paused")]
#[tokio::test(start_paused = true)]
async fn one_blob_gets_no_more_than_500_requests_a_second() {
    let world = World::new().await;
    let disk = world.from().page_blob_client("disk.vhd");
    disk.create(1200 * 512).await.expect("created");
    for page in (0..1200).step_by(2) {
        disk.upload_pages(page * 512, vec![1; 512]).await.expect("written");
    }
    world.from().block_blob_client("large").upload(vec![7; 600 * 512]).await.expect("uploaded");
    world.later();
    for name in ["disk.vhd", "large"] {
        let job = world.far_job().prefix(name).largest_single(1).block_size(512);
        let report = job.run().await.expect("a report");
        assert_eq!(report.count(Outcome::Copied), 1, "{report:?}");
        assert!(report.requests > 600, "{report:?}");
        assert!(report.elapsed > Duration::from_secs(1), "{:?}", report.elapsed);
    }

    let begun = tokio::time::Instant::now();
    let far = world.far_to().with_budget(&Budget::new()).blob_client("large");
    let verified = verify(&world.from().blob_client("large"), &far).piece(512).await;
    assert!(verified.expect("compared").is_identical());
    assert!(begun.elapsed() > Duration::from_secs(2), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_budget_of_both_accounts_counts_once() {
    let world = World::new().await;
    world.fill(["a", "b"]).await;
    let budget = Budget::new();
    let job = world.far_job().budget(&budget).source_budget(&budget);
    let report = job.run().await.expect("a report");
    assert_eq!((report.requests, budget.requests()), (4, 4), "two lists and two copies");
}

#[tokio::test(start_paused = true)]
async fn lengths_that_the_service_refuses_are_refused_at_once() {
    let world = World::new().await;
    world.fill(["a"]).await;
    for (job, rule) in [
        (world.far_job().largest_single(5000 * MIB + 1), "5000 MiB"),
        (world.far_job().block_size(4000 * MIB + 1), "4000 MiB"),
        (world.far_job().block_size(0), "4000 MiB"),
    ] {
        let error = job.run().await.expect_err(rule).to_string();
        assert!(error.contains(rule), "{error}");
        assert!(job.plan().await.is_err(), "{rule}");
    }
    let job = world.far_job().largest_single(5000 * MIB).block_size(4000 * MIB);
    assert_eq!(job.run().await.expect("a report").count(Outcome::Copied), 1);
}

#[tokio::test(start_paused = true)]
async fn progress_counts_no_blob_that_the_source_does_not_have() {
    let world = World::new().await;
    world.fill(["a"]).await;
    for name in ["extra1", "extra2"] {
        world.far_to().block_blob_client(name).upload("x").await.expect("uploaded");
    }
    let mut most = 0;
    let count = |event: &JobEvent| {
        if let JobEvent::Progress(progress) = event {
            most = most.max(progress.blobs);
            assert!(progress.blobs <= progress.of_blobs, "{progress:?}");
        }
    };
    let job = world.far_job().delete_extra(2);
    let report = job.run().on_event(count).await.expect("a report");
    assert_eq!((report.count(Outcome::Deleted), most), (2, 1));
}

/// The kind of the destination's account is not known: it refuses what it does not have.
#[tokio::test(start_paused = true)]
async fn a_tier_that_the_destination_does_not_have_is_told() {
    for (far, op, code) in [
        (false, Op::CopyBlob, "InvalidBlobTier"),
        (true, Op::PutBlobFromUrl, "BlobTierInadequateForContentLength"),
        (true, Op::PutBlockList, "InvalidBlobTier"),
    ] {
        let world = World::new().await;
        let source = world.from().block_blob_client("a");
        source.upload("content").tier(AccessTier::Cool).await.expect("uploaded");
        world.later();
        let job = if far { world.far_job() } else { world.near_job() };
        let job = if op == Op::PutBlockList { job.largest_single(1) } else { job };
        world.sim.faults().on(op).times(1).answer(400, code);
        let mut told = Vec::new();
        let keep = |event: &JobEvent| {
            if let JobEvent::Finished(blob) = event {
                told.push(blob.tier_not_kept.clone());
            }
        };
        let report = job.run().on_event(keep).await.expect("a report");
        assert_eq!((report.failures, &*told), (0, &[Some(AccessTier::Cool)][..]), "{report:?}");
        let to = if far { world.far_to() } else { world.near_to() };
        let copy = to.blob_client("a").get_properties().await.expect("there");
        assert_eq!(copy.is_access_tier_inferred, Some(true), "{op:?}");
    }
}
