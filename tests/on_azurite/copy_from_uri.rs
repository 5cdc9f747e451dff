//! Synchronous copies.

use blobcopy::{
    AccessTier, BlobClient, BlockBlobClient, BlockId, Conditions, CopyStatus, ETag,
    sas::BlobSasPermissions,
};

use super::{
    fixture::{
        SOURCE_NOT_FOUND, assert_refused, blob_sas, container, container_of, readable,
        service_with, with_query,
    },
    recording::Recording,
};
use crate::support::azurite::{ACCOUNT, Account, Azurite, OTHER_ACCOUNT};

tests![
    a_copy_is_complete_with_one_request,
    a_url_with_a_sas_is_a_source_too,
    metadata_tags_and_tier_are_those_of_the_request,
    both_ends_are_judged_by_their_conditions,
    a_leased_destination_takes_its_lease,
    a_snapshot_is_copied_and_the_blocks_with_it,
];

/// A source in one account, and a destination that does not exist yet, in another or the same.
async fn ends(azurite: &Azurite, of: &Account) -> (BlockBlobClient, BlobClient) {
    let source = container(azurite, of).await.block_blob_client("source");
    let upload = source.upload("content").content_type("text/x-source");
    upload.metadata([("origin", "source")]).tags([("of", "source")]).await.unwrap();
    (source, container(azurite, &ACCOUNT).await.blob_client("copy"))
}

async fn content(blob: &BlobClient) -> Vec<u8> {
    blob.download().await.unwrap().bytes().await.unwrap().to_vec()
}

async fn a_copy_is_complete_with_one_request(azurite: &Azurite) {
    for of in [ACCOUNT, OTHER_ACCOUNT] {
        let (source, _) = ends(azurite, &of).await;
        let recording = Recording::default();
        let container = container_of(&service_with(azurite, &ACCOUNT, recording.options())).await;
        let copy = container.blob_client("copy");
        recording.take();
        let copied = copy.copy_from_uri(&source).await.unwrap();

        let exchanges = recording.take();
        let [request] = &exchanges[..] else { panic!("not one request: {exchanges:?}") };
        assert_eq!((request.method.as_str(), request.status.as_u16()), ("PUT", 202));
        assert_eq!(request.sent["x-ms-requires-sync"], "true");
        // Unlike an asynchronous copy, it needs a SAS within the same account too.
        let sent = request.sent["x-ms-copy-source"].to_str().unwrap();
        assert!(sent.contains("sp=r") && sent.contains("sig="), "no SAS of the source");

        assert_eq!(content(&copy).await, b"content");
        let found = copy.get_properties().await.unwrap();
        let told = found.copy.unwrap();
        assert_eq!((Some(told.copy_id), told.status), (copied.copy_id, CopyStatus::Success));
        assert_eq!((found.etag, found.last_modified), (copied.etag, copied.last_modified));
        assert_eq!(found.content_type.as_deref(), Some("text/x-source"));
        assert_eq!(found.metadata.iter().collect::<Vec<_>>(), [("origin", "source")]);
        assert!(matches!(found.tag_count, None | Some(0)), "{:?}", found.tag_count);
    }
}

async fn a_url_with_a_sas_is_a_source_too(azurite: &Azurite) {
    let (source, copy) = ends(azurite, &OTHER_ACCOUNT).await;
    copy.copy_from_uri(readable(&OTHER_ACCOUNT, &source)).await.unwrap();
    assert_eq!(content(&copy).await, b"content");

    // A SAS that only permits writing does not let the service read; no SAS does not either.
    let writer = blob_sas(&OTHER_ACCOUNT, &source, BlobSasPermissions::new().write());
    let other = container(azurite, &ACCOUNT).await.blob_client("other");
    for url in [with_query(source.url().unwrap(), writer.expose()), source.url().unwrap()] {
        let error = other.copy_from_uri(url).await.unwrap_err();
        assert_eq!(error.code().unwrap().as_str(), "CannotVerifyCopySource", "{error}");
        let signature = writer.expose().split("sig=").nth(1).unwrap();
        assert!(!format!("{error} {error:?}").contains(signature));
    }
    assert!(!other.exists().await.unwrap());
    let missing = container(azurite, &OTHER_ACCOUNT).await.blob_client("missing");
    assert_refused(other.copy_from_uri(&missing).await, SOURCE_NOT_FOUND);
}

async fn metadata_tags_and_tier_are_those_of_the_request(azurite: &Azurite) {
    let (source, copy) = ends(azurite, &ACCOUNT).await;
    let call = copy.copy_from_uri(&source).metadata([("own", "yes")]).tags([("state", "new")]);
    call.tier(AccessTier::Cool).await.unwrap();
    let found = copy.get_properties().await.unwrap();
    assert_eq!(found.metadata.iter().collect::<Vec<_>>(), [("own", "yes")]);
    assert_eq!(found.access_tier, Some(AccessTier::Cool));
    assert_eq!(copy.get_tags().await.unwrap().iter().collect::<Vec<_>>(), [("state", "new")]);

    copy.copy_from_uri(&source).copy_source_tags(true).await.unwrap();
    assert_eq!(copy.get_tags().await.unwrap().get("of"), Some("source"));
    copy.copy_from_uri(&source).await.unwrap();
    assert!(copy.get_tags().await.unwrap().is_empty());
}

async fn both_ends_are_judged_by_their_conditions(azurite: &Azurite) {
    let (source, copy) = ends(azurite, &ACCOUNT).await;
    let of_source = source.get_properties().await.unwrap().etag.unwrap();
    let is = |etag: &ETag| Conditions::new().if_match(etag.clone());
    let other: ETag = "\"0x8D0000000000000\"".parse().unwrap();

    let must_be_new = Conditions::new().if_none_match(ETag::ANY);
    let made = copy.copy_from_uri(&source).conditions(must_be_new.clone());
    let of_copy = made.source_conditions(is(&of_source)).await.unwrap().etag.unwrap();

    // Azurite does not say which condition failed.
    let source_unmet = [(412, "SourceConditionNotMet"), (412, "ConditionNotMet")];
    let refused = copy.copy_from_uri(&source).source_conditions(is(&other)).await;
    assert_refused(refused, &source_unmet);
    let target_unmet = [(412, "TargetConditionNotMet"), (412, "ConditionNotMet")];
    assert_refused(copy.copy_from_uri(&source).conditions(is(&of_source)).await, &target_unmet);
    let exists = [(409, "BlobAlreadyExists"), target_unmet[0], target_unmet[1]];
    assert_refused(copy.copy_from_uri(&source).conditions(must_be_new).await, &exists);
    assert_eq!(copy.get_properties().await.unwrap().etag, Some(of_copy.clone()));

    let crossed = copy.copy_from_uri(&source).source_conditions(is(&of_source));
    crossed.conditions(is(&of_copy)).await.unwrap();
}

async fn a_leased_destination_takes_its_lease(azurite: &Azurite) {
    let (source, copy) = ends(azurite, &ACCOUNT).await;
    copy.block_blob_client().upload("old").await.unwrap();
    let lease = copy.acquire_infinite_lease().await.unwrap().lease_id;
    assert_refused(copy.copy_from_uri(&source).await, &[(412, "LeaseIdMissing")]);
    assert_eq!(content(&copy).await, b"old");
    copy.copy_from_uri(&source).lease_id(lease.clone()).await.unwrap();
    assert_eq!(content(&copy).await, b"content");
    // Its lease is still there.
    copy.release_lease(&lease).await.unwrap();
}

async fn a_snapshot_is_copied_and_the_blocks_with_it(azurite: &Azurite) {
    let (source, copy) = ends(azurite, &ACCOUNT).await;
    let ids = [1, 2].map(BlockId::numbered);
    for id in &ids {
        source.stage_block(id, "block ").await.unwrap();
    }
    source.commit_block_list(&ids).await.unwrap();
    let taken = source.create_snapshot().await.unwrap().snapshot;
    source.upload("changed").await.unwrap();

    copy.copy_from_uri(&source.with_snapshot(&taken)).await.unwrap();
    assert_eq!(content(&copy).await, b"block block ");
    let blocks = copy.block_blob_client().get_block_list().await.unwrap().committed;
    assert_eq!(blocks.iter().map(|block| &block.id).collect::<Vec<_>>(), [&ids[0], &ids[1]]);
}
