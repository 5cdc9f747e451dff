//! How the end of a copy is reported to its starter, and to a client that attaches later.

use blobcopy::{
    BlobClient, BlobContainerClient, BlockBlobClient, CopyFromUriOperation, CopyId, CopyProgress,
    CopyStatus, CopyToken, Error,
};
use futures_util::TryStreamExt;

use super::{
    fixture::{container, container_of, service, service_with},
    recording::Recording,
};
use crate::support::azurite::{ACCOUNT, Azurite, OTHER_ACCOUNT};

tests![
    a_poll_tells_all_of_the_copy,
    who_takes_a_copy_up_learns_its_end_with_one_request,
    a_stream_ends_with_the_copy,
    a_copy_of_nothing_ends_too,
    a_destination_that_is_written_anew_carries_no_copy,
    pages_that_are_written_afterwards_leave_the_copy_known,
    a_second_copy_supersedes_the_first,
    a_destination_that_is_deleted_is_gone,
    a_token_is_taken_up_only_in_its_own_account,
    copies_run_side_by_side,
];

const CONTENT: &str = "sixteen bytes...";

/// A container, and a finished copy in it of a blob called `source`.
async fn finished(azurite: &Azurite) -> (BlobContainerClient, CopyFromUriOperation) {
    let container = container(azurite, &ACCOUNT).await;
    let source = container.block_blob_client("source");
    source.upload(CONTENT).await.unwrap();
    let copy = container.blob_client("copy").start_copy_from_uri(&source).await.unwrap();
    (container, copy)
}

fn taken_up(copy: &CopyFromUriOperation) -> CopyFromUriOperation {
    copy.blob().resume_copy(copy.id().clone())
}

async fn a_poll_tells_all_of_the_copy(azurite: &Azurite) {
    let (container, mut copy) = finished(azurite).await;
    let state = copy.poll().await.unwrap();

    assert_eq!((&state.copy_id, &state.status), (copy.id(), &CopyStatus::Success));
    let all = CopyProgress::new(16, 16);
    assert_eq!((state.progress, copy.progress()), (Some(all), Some(all)));
    assert_eq!(state.description, None);
    assert_eq!(state.destination_snapshot, None);
    assert!(state.completed_on.is_some() && state.last_modified.is_some(), "{state:?}");
    let source = container.blob_client("source").url().unwrap();
    assert_eq!(state.source.as_ref().unwrap().expose(), source.as_str());
    let properties = copy.blob().get_properties().await.unwrap();
    assert_eq!(properties.copy, Some(state));
    assert!(!properties.is_incremental_copy);
}

async fn who_takes_a_copy_up_learns_its_end_with_one_request(azurite: &Azurite) {
    let (_, copy) = finished(azurite).await;
    let recording = Recording::default();
    let service = service_with(azurite, &ACCOUNT, recording.options());
    let stored = serde_json::to_string(&copy.token()).unwrap();

    let mut later = service.resume(&serde_json::from_str::<CopyToken>(&stored).unwrap()).unwrap();
    assert_eq!((later.id(), later.status(), later.has_completed()), (copy.id(), None, false));
    assert_eq!(recording.take().len(), 0);

    let mut heard = Vec::new();
    let done = later.wait().on_progress(|state| heard.push(state.progress)).await.unwrap();
    assert_eq!(heard, [Some(CopyProgress::new(16, 16))]);
    assert_eq!(done.progress.unwrap().to_string(), "16/16");
    assert!(done.completed_on.is_some() && done.etag.is_some() && later.has_completed());
    let exchanges = recording.take();
    let [poll] = &exchanges[..] else { panic!("not one request: {exchanges:?}") };
    assert_eq!((poll.method.as_str(), poll.url.query()), ("HEAD", None));
}

async fn a_stream_ends_with_the_copy(azurite: &Azurite) {
    let (_, copy) = finished(azurite).await;
    let states: Vec<_> = taken_up(&copy).progress_stream().try_collect().await.unwrap();
    let [last] = &states[..] else { panic!("not one state: {states:?}") };
    assert_eq!((&last.copy_id, &last.status), (copy.id(), &CopyStatus::Success));
}

async fn a_copy_of_nothing_ends_too(azurite: &Azurite) {
    let container = container(azurite, &ACCOUNT).await;
    let source = container.block_blob_client("source");
    source.upload("").await.unwrap();
    let copy = container.blob_client("copy").start_copy_from_uri(&source).await.unwrap();
    let done = taken_up(&copy).wait().await.unwrap();
    // Azurite reports no progress for an empty blob.
    assert!(done.progress.is_none_or(|progress| progress.copied == 0), "{done:?}");
    assert_eq!(copy.blob().get_properties().await.unwrap().content_length, 0);
}

async fn a_destination_that_is_written_anew_carries_no_copy(azurite: &Azurite) {
    for rewrite in [Rewrite::BlockBlob, Rewrite::PageBlob] {
        let (_, mut copy) = finished(azurite).await;
        rewrite.apply(&copy.blob()).await;
        assert!(copy.blob().get_properties().await.unwrap().copy.is_none());
        assert!(matches!(copy.poll().await, Err(Error::NoCopyProperties { .. })));
        assert!(matches!(taken_up(&copy).wait().await, Err(Error::NoCopyProperties { .. })));
        let states = taken_up(&copy).progress_stream().try_collect::<Vec<_>>().await;
        assert!(matches!(states, Err(Error::NoCopyProperties { .. })));
    }
}

enum Rewrite {
    BlockBlob,
    PageBlob,
}

impl Rewrite {
    async fn apply(&self, blob: &BlobClient) {
        match self {
            Self::BlockBlob => blob.block_blob_client().upload("other").await.unwrap(),
            Self::PageBlob => blob.page_blob_client().create(512).await.unwrap(),
        };
    }
}

async fn pages_that_are_written_afterwards_leave_the_copy_known(azurite: &Azurite) {
    let container = container(azurite, &ACCOUNT).await;
    let disk = container.page_blob_client("disk");
    disk.create(1024).await.unwrap();
    let backup = container.page_blob_client("backup");
    let copy = backup.start_copy_from_uri(&disk).await.unwrap();
    backup.upload_pages(512, vec![1; 512]).await.unwrap();
    assert_eq!(taken_up(&copy).wait().await.unwrap().copy_id, *copy.id());

    // A snapshot of the destination reports the copy too.
    let taken = backup.create_snapshot().await.unwrap().snapshot;
    let kept = backup.with_snapshot(&taken).get_properties().await.unwrap().copy.unwrap();
    assert_eq!(kept.copy_id, *copy.id());
}

async fn a_second_copy_supersedes_the_first(azurite: &Azurite) {
    let (container, mut first) = finished(azurite).await;
    let source = container.blob_client("source");
    let second = first.blob().start_copy_from_uri(&source).await.unwrap();
    assert_ne!(first.id(), second.id());

    let superseded = |outcome: Result<CopyId, Error>| {
        let error = outcome.expect_err("it was superseded");
        let Error::CopySuperseded { copy_id: expected, found, .. } = &error else {
            panic!("{error:?}")
        };
        assert_eq!((expected, found), (first.id(), second.id()));
    };
    superseded(taken_up(&first).poll().await.map(|state| state.copy_id));
    superseded(taken_up(&first).wait().await.map(|done| done.copy_id));
    assert!(matches!(first.poll().await, Err(Error::CopySuperseded { .. })));
    assert_eq!(taken_up(&second).wait().await.unwrap().copy_id, *second.id());
}

async fn a_destination_that_is_deleted_is_gone(azurite: &Azurite) {
    let (_, mut copy) = finished(azurite).await;
    copy.blob().delete().await.unwrap();
    assert!(matches!(copy.poll().await, Err(Error::CopyDestinationGone { .. })));
    assert!(matches!(taken_up(&copy).wait().await, Err(Error::CopyDestinationGone { .. })));

    let (container, mut copy) = finished(azurite).await;
    container.delete().await.unwrap();
    assert!(matches!(copy.poll().await, Err(Error::CopyDestinationGone { .. })));
    assert!(matches!(taken_up(&copy).wait().await, Err(Error::CopyDestinationGone { .. })));
}

async fn a_token_is_taken_up_only_in_its_own_account(azurite: &Azurite) {
    let (_, copy) = finished(azurite).await;
    let error = service(azurite, &OTHER_ACCOUNT).resume(&copy.token()).unwrap_err();
    assert!(matches!(error, Error::InvalidInput { what: "copy token", .. }), "{error}");
}

async fn copies_run_side_by_side(azurite: &Azurite) {
    let container = container_of(&service(azurite, &ACCOUNT)).await;
    let copied = |number: usize| {
        let container = container.clone();
        async move {
            let source: BlockBlobClient = container.block_blob_client(&format!("source {number}"));
            let copy = container.blob_client(&format!("copy {number}"));
            source.upload(format!("content {number}")).await.unwrap();
            copy.start_copy_from_uri(&source).await.unwrap().wait().await.unwrap();
            copy.download().await.unwrap().bytes().await.unwrap()
        }
    };
    let copies = futures_util::future::join_all((0..16).map(copied)).await;
    for (number, content) in copies.iter().enumerate() {
        assert_eq!(content, format!("content {number}").as_str());
    }
}
