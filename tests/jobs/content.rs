//! Jobs that compare content.

use blobcopy::jobs::{Difference, JobEvent, Outcome, Overwrite, Proof, Receipts};
use blobcopy_simulator::Op;

use super::world::World;

/// A copy whose content differs in a byte, while all that a listing says is the same.
async fn flip(world: &World) {
    let to = world.far_to().page_blob_client("disk.vhd");
    world.later();
    to.upload_pages(1024, vec![9; 512]).await.expect("written");
}

async fn disks(world: &World) {
    let disk = world.from().page_blob_client("disk.vhd");
    disk.create(4096).await.expect("created");
    disk.upload_pages(512, vec![1; 1024]).await.expect("written");
    world.fill(["a"]).await;
    world.later();
}

#[tokio::test(start_paused = true)]
async fn a_flipped_byte_is_found_and_mended() {
    let world = World::new().await;
    disks(&world).await;
    let job = world.far_job();
    assert_eq!(job.run().await.expect("a report").count(Outcome::Copied), 2);
    assert!(job.check().content(true).await.expect("compared").is_same());
    flip(&world).await;
    assert!(job.check().await.expect("compared").is_same(), "no listing shows it");
    let report = job.check().content(true).await.expect("compared");
    let lines: Vec<_> = report.differences.iter().map(ToString::to_string).collect();
    assert_eq!(lines, ["content differs: disk.vhd"]);
    assert_eq!(job.run().await.expect("a report").count(Outcome::Same), 2);

    for overwrite in [Overwrite::Never, Overwrite::IfNewer] {
        let job = job.clone().overwrite(overwrite).content(true);
        let report = job.run().await.expect("a report");
        assert_eq!(report.count(Outcome::Copied), 0, "{overwrite:?}: the source is older");
    }
    let report = job.clone().content(true).run().await.expect("a report");
    assert_eq!((report.count(Outcome::Copied), report.count(Outcome::Same)), (1, 1), "{report:?}");
    assert!(job.check().content(true).await.expect("compared").is_same());
    assert_eq!(world.sim.count(Op::GetBlob), 0, "nothing is downloaded");
}

#[tokio::test(start_paused = true)]
async fn receipts_spare_comparisons_as_long_as_they_hold() {
    let world = World::new().await;
    disks(&world).await;
    let job = world.far_job();
    let mut receipts = Receipts::new();
    let keep = |event: &JobEvent| {
        if let JobEvent::Finished(blob) = event {
            receipts.extend(blob.receipt.as_deref().cloned());
        }
    };
    job.run().on_event(keep).await.expect("a report");
    assert_eq!(receipts.len(), 2);
    world.counted();
    let check = job.check().content(true).receipts(receipts.clone()).await.expect("compared");
    assert_eq!((check.same, check.different), (2, 0));
    assert_eq!(world.counted(), [(Op::ListBlobs, 2)].into());
    flip(&world).await;
    let check = job.check().content(true).receipts(receipts).await.expect("compared");
    assert_eq!(check.differences[0].difference, Difference::Content);
}

#[tokio::test(start_paused = true)]
async fn a_copy_is_verified_before_it_counts() {
    let world = World::new().await;
    world.fill(["a", "b"]).await;
    let mut proofs = Vec::new();
    let keep = |event: &JobEvent| {
        if let JobEvent::Finished(blob) = event {
            proofs.extend(blob.receipt.as_ref().map(|receipt| receipt.proof.clone()));
        }
    };
    let job = world.near_job().verify(true);
    let report = job.run().on_event(keep).await.expect("a report");
    assert_eq!((report.count(Outcome::Copied), report.failures), (2, 0));
    assert!(proofs.len() == 2 && proofs.iter().all(|proof| matches!(proof, Proof::Crc64(_))));
    let left: Vec<_> = World::contents(&world.near_to()).await.into_keys().collect();
    assert_eq!(left, ["a", "b"]);
}

#[tokio::test(start_paused = true)]
async fn a_copy_whose_answer_was_lost_is_verified_too() {
    let world = World::new().await;
    world.fill(["a"]).await;
    world.later();
    world.sim.faults().on(Op::PutBlobFromUrl).lose_answer().times(1);
    let mut receipts = Receipts::new();
    let keep = |event: &JobEvent| {
        if let JobEvent::Finished(blob) = event {
            receipts.extend(blob.receipt.as_deref().cloned());
        }
    };
    let report = world.far_job().verify(true).run().on_event(keep).await.expect("a report");
    assert_eq!((report.count(Outcome::Copied), report.failures), (1, 0), "{report:?}");
    let receipt = receipts.get(&world.far_to().blob_client("a")).expect("it was compared");
    assert!(matches!(receipt.proof, Proof::Crc64(_)), "{receipt:?}");
}

#[tokio::test(start_paused = true)]
async fn large_blobs_and_disks_move_between_accounts() {
    let world = World::new().await;
    disks(&world).await;
    world.from().block_blob_client("large").upload(vec![7; 100_000]).await.expect("uploaded");
    let expected = World::contents(&world.from()).await;
    world.later();
    let job = world.far_job().largest_single(1 << 16).block_size(1 << 14).move_sources();
    let report = job.run().await.expect("a report");
    assert_eq!((report.count(Outcome::Moved), report.failures), (3, 0), "{report:?}");
    assert_eq!(World::contents(&world.far_to()).await, expected);
    assert!(World::contents(&world.from()).await.is_empty());
}
