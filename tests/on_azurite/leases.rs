//! Leased blobs: writes need the lease id.

use blobcopy::{
    AbortOutcome, BlobClient, BlockBlobClient, Error, LeaseDuration, LeaseId, LeaseState,
    LeaseStatus, PageBlobClient, Result,
};

use super::fixture::{assert_refused, container};
use crate::support::azurite::{ACCOUNT, Azurite};

tests![
    a_leased_destination_is_copied_into_with_its_lease,
    a_lease_that_is_not_there_is_refused,
    the_lease_of_a_source_does_not_matter,
    an_operation_remembers_its_lease_for_the_abort,
    every_write_takes_the_lease,
];

const MISSING: &[(u16, &str)] = &[(412, "LeaseIdMissing")];
const WRONG: &[(u16, &str)] = &[(412, "LeaseIdMismatchWithBlobOperation")];
const NO_LEASE: &[(u16, &str)] = &[(412, "LeaseNotPresentWithBlobOperation"), (412, "LeaseLost")];

fn another() -> LeaseId {
    "11111111-2222-3333-4444-555555555555".parse().unwrap()
}

/// A source, and a destination with recognizable content.
async fn ends(azurite: &Azurite) -> (BlockBlobClient, BlockBlobClient) {
    let container = container(azurite, &ACCOUNT).await;
    let (source, destination) =
        (container.block_blob_client("source"), container.block_blob_client("destination"));
    source.upload("new").await.unwrap();
    destination.upload("old").await.unwrap();
    (source, destination)
}

async fn lease(blob: &BlobClient) -> LeaseId {
    blob.acquire_infinite_lease().await.unwrap().lease_id
}

async fn content(blob: &BlobClient) -> Vec<u8> {
    blob.download().await.unwrap().bytes().await.unwrap().to_vec()
}

async fn a_leased_destination_is_copied_into_with_its_lease(azurite: &Azurite) {
    let (source, destination) = ends(azurite).await;
    let id = lease(&destination).await;

    assert_refused(destination.start_copy_from_uri(&source).await, MISSING);
    let wrong = destination.start_copy_from_uri(&source).lease_id(another()).await;
    assert_refused(wrong, WRONG);
    assert_eq!(content(&destination).await, b"old");

    let mut copy = destination.start_copy_from_uri(&source).lease_id(id.clone()).await.unwrap();
    copy.wait().await.unwrap();
    assert_eq!(content(&destination).await, b"new");
    let properties = destination.get_properties().lease_id(id).await.unwrap();
    assert_eq!(properties.lease_status, Some(LeaseStatus::Locked));
    assert_eq!(properties.lease_state, Some(LeaseState::Leased));
    assert_eq!(properties.lease_duration, Some(LeaseDuration::Infinite));
}

async fn a_lease_that_is_not_there_is_refused(azurite: &Azurite) {
    let (source, destination) = ends(azurite).await;
    assert_refused(destination.start_copy_from_uri(&source).lease_id(another()).await, NO_LEASE);
    assert_eq!(content(&destination).await, b"old");
}

async fn the_lease_of_a_source_does_not_matter(azurite: &Azurite) {
    let (source, destination) = ends(azurite).await;
    lease(&source).await;
    destination.start_copy_from_uri(&source).await.unwrap().wait().await.unwrap();
    assert_eq!(content(&destination).await, b"new");
    let copied = destination.get_properties().await.unwrap();
    assert_eq!(copied.lease_state, Some(LeaseState::Available));
}

async fn an_operation_remembers_its_lease_for_the_abort(azurite: &Azurite) {
    let (source, destination) = ends(azurite).await;
    let id = lease(&destination).await;
    let mut copy = destination.start_copy_from_uri(&source).lease_id(id.clone()).await.unwrap();

    let outcome = copy.abort().await.unwrap();
    assert!(matches!(outcome, AbortOutcome::AlreadyFinished(_)), "{outcome:?}");
    let outcome = destination.abort_pending_copy().lease_id(id.clone()).await.unwrap();
    assert!(matches!(outcome, AbortOutcome::AlreadyFinished(_)), "{outcome:?}");
    let strict = destination.abort_copy(copy.id()).lease_id(id).await;
    assert_refused(strict, &[(409, "NoPendingCopyOperation")]);
    // The service may check the lease or the copy first.
    let wrong = destination.abort_copy(copy.id()).lease_id(another()).await;
    let error = wrong.unwrap_err();
    assert!(matches!(error.status().map(|s| s.as_u16()), Some(409 | 412)), "{error}");
}

async fn every_write_takes_the_lease(azurite: &Azurite) {
    let disk = container(azurite, &ACCOUNT).await.page_blob_client("disk");
    disk.create(1024).await.unwrap();
    let id = lease(&disk).await;
    let (mine, wrong) = (Some(id.clone()), Some(another()));

    for (name, write) in WRITES {
        refused(name, write(disk.clone(), None).await, MISSING);
        refused(name, write(disk.clone(), wrong.clone()).await, WRONG);
        write(disk.clone(), mine.clone()).await.unwrap_or_else(|e| panic!("{name}: {e}"));
    }
    assert!(!disk.exists().await.unwrap());
}

fn refused(name: &str, outcome: Result<()>, with: &[(u16, &str)]) {
    let error: Error = outcome.expect_err(name);
    let found = (error.status().unwrap().as_u16(), error.code().unwrap().as_str());
    assert!(with.contains(&found), "{name}: {error}");
}

type Write =
    fn(PageBlobClient, Option<LeaseId>) -> blobcopy::transport::BoxFuture<'static, Result<()>>;

/// Every write of a page blob, with or without a lease; the last deletes it.
const WRITES: [(&str, Write); 4] = [
    ("upload_pages", |disk, id| {
        let call = disk.upload_pages(0, vec![1; 512]);
        Box::pin(async move { with(call, id, |c, id| c.lease_id(id)).await.map(drop) })
    }),
    ("clear_pages", |disk, id| {
        let call = disk.clear_pages(0..512);
        Box::pin(async move { with(call, id, |c, id| c.lease_id(id)).await.map(drop) })
    }),
    ("create", |disk, id| {
        let call = disk.create(1024);
        Box::pin(async move { with(call, id, |c, id| c.lease_id(id)).await.map(drop) })
    }),
    ("delete", |disk, id| {
        let call = disk.delete();
        Box::pin(async move { with(call, id, |c, id| c.lease_id(id)).await })
    }),
];

fn with<C>(call: C, id: Option<LeaseId>, set: fn(C, LeaseId) -> C) -> C {
    match id {
        Some(id) => set(call, id),
        None => call,
    }
}
