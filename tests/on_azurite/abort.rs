//! Aborts that come too late, as all do with Azurite.

use blobcopy::{
    AbortOutcome, BlobContainerClient, CopyFromUriOperation, CopyId, CopyStatus, Error,
};

use super::fixture::{assert_refused, container, service, unused_name};
use crate::support::azurite::{ACCOUNT, Azurite};

tests![
    a_strict_abort_has_the_service_answer,
    an_id_is_sent_as_it_is,
    an_operation_learns_that_it_was_over,
    an_operation_learns_that_another_copy_is_there,
    an_operation_learns_that_its_destination_is_gone,
    whatever_is_pending_is_nothing,
];

/// A container, and a finished copy in it of a blob called `source`.
async fn finished(azurite: &Azurite) -> (BlobContainerClient, CopyFromUriOperation) {
    let container = container(azurite, &ACCOUNT).await;
    let source = container.block_blob_client("source");
    source.upload("content").await.unwrap();
    let copy = container.blob_client("copy").start_copy_from_uri(&source).await.unwrap();
    (container, copy)
}

fn another() -> CopyId {
    "11111111-2222-3333-4444-555555555555".parse().unwrap()
}

#[track_caller]
fn assert_already_finished(outcome: &AbortOutcome, copy: &CopyFromUriOperation) {
    let AbortOutcome::AlreadyFinished(state) = outcome else { panic!("{outcome:?}") };
    assert_eq!((&state.copy_id, &state.status), (copy.id(), &CopyStatus::Success));
}

async fn a_strict_abort_has_the_service_answer(azurite: &Azurite) {
    let (container, copy) = finished(azurite).await;
    let blob = copy.blob();
    assert_refused(blob.abort_copy(copy.id()).await, &[(409, "NoPendingCopyOperation")]);
    let other = [(409, "CopyIdMismatch"), (409, "NoPendingCopyOperation")];
    assert_refused(blob.abort_copy(another()).await, &other);
    // Azurite checks the id first, although there never was a copy.
    assert_refused(container.blob_client("source").abort_copy(copy.id()).await, &other);
    let missing = container.blob_client("missing").abort_copy(copy.id()).await;
    assert_refused(missing, &[(404, "BlobNotFound")]);

    let content = blob.download().await.unwrap().bytes().await.unwrap();
    assert_eq!(content, "content");
}

async fn an_id_is_sent_as_it_is(azurite: &Azurite) {
    let (_, copy) = finished(azurite).await;
    // Ids are GUIDs in practice; opaque ones are signed and encoded too.
    let odd: CopyId = "a+b%2Fc&d=e/f?g#h~".parse().unwrap();
    let other = [(409, "CopyIdMismatch"), (409, "NoPendingCopyOperation")];
    assert_refused(copy.blob().abort_copy(&odd).await, &other);
}

async fn an_operation_learns_that_it_was_over(azurite: &Azurite) {
    let (_, mut copy) = finished(azurite).await;
    let outcome = copy.abort().await.unwrap();
    assert_already_finished(&outcome, &copy);
    let mut later = copy.blob().resume_copy(copy.id().clone());
    assert_already_finished(&later.abort().await.unwrap(), &copy);
}

async fn an_operation_learns_that_another_copy_is_there(azurite: &Azurite) {
    let (_, copy) = finished(azurite).await;
    let error = copy.blob().resume_copy(another()).abort().await.unwrap_err();
    let Error::CopySuperseded { copy_id: expected, found, .. } = &error else {
        panic!("{error:?}")
    };
    assert_eq!((expected, found), (&another(), copy.id()));
}

async fn an_operation_learns_that_its_destination_is_gone(azurite: &Azurite) {
    let (_, mut copy) = finished(azurite).await;
    copy.blob().delete().await.unwrap();
    assert!(matches!(copy.abort().await, Err(Error::CopyDestinationGone { .. })));
}

async fn whatever_is_pending_is_nothing(azurite: &Azurite) {
    let (container, copy) = finished(azurite).await;
    let outcome = copy.blob().abort_pending_copy().await.unwrap();
    assert_already_finished(&outcome, &copy);

    let never = container.blob_client("source").abort_pending_copy().await;
    assert_eq!(never.unwrap(), AbortOutcome::NothingPending);
    let missing = container.blob_client("missing").abort_pending_copy().await;
    assert_refused(missing, &[(404, "BlobNotFound")]);
    let nowhere = service(azurite, &ACCOUNT).container_client(&unused_name());
    let nowhere = nowhere.blob_client("copy").abort_pending_copy().await;
    assert_refused(nowhere, &[(404, "ContainerNotFound")]);
}
