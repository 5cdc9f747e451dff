//! Access tiers: set, changed, copied.

use blobcopy::{AccessTier, BlockBlobClient, RehydratePriority, TierChange};

use super::fixture::{assert_refused, container};
use crate::support::azurite::{ACCOUNT, Azurite};

tests![
    a_tier_is_inferred_until_it_is_set,
    what_is_archived_comes_back_later,
    a_tier_that_there_is_not_is_refused,
    the_tier_of_a_leased_blob_is_changed_with_its_lease,
    a_copy_has_the_tier_that_was_asked_for,
];

async fn blob(azurite: &Azurite) -> BlockBlobClient {
    let blob = container(azurite, &ACCOUNT).await.block_blob_client("blob");
    blob.upload("content").await.unwrap();
    blob
}

async fn tier(blob: &BlockBlobClient) -> (Option<AccessTier>, Option<bool>) {
    let properties = blob.get_properties().await.unwrap();
    (properties.access_tier, properties.is_access_tier_inferred)
}

async fn a_tier_is_inferred_until_it_is_set(azurite: &Azurite) {
    let blob = blob(azurite).await;
    let before = blob.get_properties().await.unwrap();
    assert_eq!(tier(&blob).await, (Some(AccessTier::Hot), Some(true)));
    for to in [AccessTier::Cool, AccessTier::Cold, AccessTier::Hot] {
        assert_eq!(blob.set_tier(to.clone()).await.unwrap(), TierChange::Done);
        let found = blob.get_properties().await.unwrap();
        assert_eq!(found.access_tier, Some(to));
        assert_ne!(found.is_access_tier_inferred, Some(true));
        // A change of tier is not a write.
        assert_eq!((found.etag, found.last_modified), (before.etag.clone(), before.last_modified));
        assert!(found.access_tier_changed_on >= before.last_modified);
    }
}

async fn what_is_archived_comes_back_later(azurite: &Azurite) {
    let blob = blob(azurite).await;
    assert_eq!(blob.set_tier(AccessTier::Archive).await.unwrap(), TierChange::Done);
    let archived = [(409, "BlobArchived")];
    assert_refused(blob.download().await, &archived);
    assert_eq!(tier(&blob).await.0, Some(AccessTier::Archive));

    let back = blob.set_tier(AccessTier::Hot).rehydrate_priority(RehydratePriority::High);
    assert_eq!(back.await.unwrap(), TierChange::Rehydrating);
    // Azurite rehydrates at once, the service after hours; until then the blob stays archived.
    let found = tier(&blob).await.0;
    assert!(matches!(found, Some(AccessTier::Hot | AccessTier::Archive)), "{found:?}");
}

async fn a_tier_that_there_is_not_is_refused(azurite: &Azurite) {
    let blob = blob(azurite).await;
    let refused = [(400, "InvalidBlobTier"), (400, "InvalidHeaderValue")];
    // The tier of a disk, and an invalid word; Azurite calls both unsupported.
    let unsupported = [refused[0], refused[1], (400, "AccessTierNotSupportedForBlobType")];
    assert_refused(blob.set_tier(AccessTier::from("P10")).await, &unsupported);
    assert_refused(blob.set_tier(AccessTier::from("Lukewarm")).await, &unsupported);
    assert_refused(blob.upload("other").tier(AccessTier::from("Lukewarm")).await, &refused);
    assert_eq!(tier(&blob).await, (Some(AccessTier::Hot), Some(true)));
    assert_eq!(blob.download().await.unwrap().bytes().await.unwrap(), "content");
}

async fn the_tier_of_a_leased_blob_is_changed_with_its_lease(azurite: &Azurite) {
    let blob = blob(azurite).await;
    let lease = blob.acquire_infinite_lease().await.unwrap().lease_id;
    let wrong = "66666666-7777-8888-9999-aaaaaaaaaaaa".parse::<blobcopy::LeaseId>().unwrap();
    let refused = [(412, "LeaseIdMismatchWithBlobOperation")];
    assert_refused(blob.set_tier(AccessTier::Cool).lease_id(wrong).await, &refused);
    assert_eq!(tier(&blob).await.0, Some(AccessTier::Hot));
    blob.set_tier(AccessTier::Cool).lease_id(lease).await.unwrap();
    assert_eq!(tier(&blob).await.0, Some(AccessTier::Cool));
}

async fn a_copy_has_the_tier_that_was_asked_for(azurite: &Azurite) {
    let source = blob(azurite).await;
    source.set_tier(AccessTier::Cool).await.unwrap();
    let container = container(azurite, &ACCOUNT).await;
    for to in [AccessTier::Hot, AccessTier::Cold, AccessTier::Archive] {
        let copy = container.block_blob_client(to.as_str());
        let start = copy.start_copy_from_uri(&source).tier(to.clone());
        start.await.unwrap().wait().await.unwrap();
        assert_eq!(tier(&copy).await.0, Some(to));
        assert_eq!(tier(&source).await.0, Some(AccessTier::Cool));
    }
}
