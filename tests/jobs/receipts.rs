//! The receipts of a run.

use blobcopy::jobs::{Finished, JobEvent, Outcome, Proof, Receipt, Receipts, Route, verify};
use futures_util::TryStreamExt;

use super::world::World;

/// Runs a job, and takes what became of each blob.
async fn finished(job: blobcopy::jobs::CopyJob) -> Vec<Finished> {
    let mut finished = Vec::new();
    let mut events = job.run().events();
    while let Some(event) = events.try_next().await.expect("events") {
        if let JobEvent::Finished(blob) = event {
            finished.push(blob);
        }
    }
    finished
}

#[tokio::test(start_paused = true)]
async fn each_copied_blob_has_a_receipt_that_holds_until_it_is_written() {
    let world = World::new().await;
    world.fill(["a", "b/c", "d e"]).await;
    for (job, to, route) in [
        (world.near_job(), world.near_to(), Route::ServiceCopy),
        (world.far_job(), world.far_to(), Route::BlobFromUrl),
    ] {
        let done = finished(job.clone()).await;
        let lines: Vec<String> = done
            .iter()
            .map(|blob| serde_json::to_string(blob.receipt.as_ref().expect("copied")).expect("ok"))
            .collect();
        assert!(lines.iter().all(|line| !line.contains("sig=")), "{lines:?}");
        let read = lines.iter().map(|line| serde_json::from_str::<Receipt>(line));
        let receipts: Receipts = read.collect::<Result<_, _>>().expect("read");
        assert_eq!(receipts.len(), 3);
        for name in ["a", "b/c", "d e"] {
            let (source, copy) = (world.from().blob_client(name), to.blob_client(name));
            let etag = async |blob: &blobcopy::BlobClient| {
                blob.get_properties().await.expect("there").etag.expect("an ETag")
            };
            let (one, other) = (etag(&source).await, etag(&copy).await);
            let receipt = receipts.holding((&source, &one), (&copy, &other)).expect("it holds");
            assert_eq!(receipt.length, name.len() as u64);
            assert_eq!(receipt.copy_id.is_some(), route == Route::ServiceCopy);
            let id = receipt.client_request_id.as_deref().expect("this run wrote it");
            let log = world.sim.requests();
            let by: Vec<_> = log
                .iter()
                .filter(|request| request.header("x-ms-client-request-id") == Some(id))
                .collect();
            assert!(!by.is_empty(), "{id}");
            assert!(by.iter().all(|request| request.blob() == Some(name)), "{id}");
            assert_eq!(receipt.proof == Proof::ServiceOnly, route == Route::ServiceCopy);
            let verified = verify(&source, &copy)
                .source_etag(&receipt.source_etag)
                .destination_etag(&receipt.destination_etag);
            assert!(verified.await.expect("compared").is_identical());

            copy.block_blob_client().upload("other").await.expect("uploaded");
            let now = etag(&copy).await;
            assert!(receipts.holding((&source, &one), (&copy, &now)).is_none());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_not_copied_has_no_receipt() {
    let world = World::new().await;
    world.fill(["a"]).await;
    world.later();
    world.near_job().run().await.expect("a report");
    let again = finished(world.near_job()).await;
    assert_eq!((again[0].outcome, &again[0].receipt), (Outcome::Same, &None));
}
