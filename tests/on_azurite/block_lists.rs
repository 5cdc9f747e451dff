//! Block blobs made of blocks: staging, committing, listing, reordering.

use blobcopy::{
    AccessTier, Block, BlockBlobClient, BlockId, BlockListEntry, Conditions, ContentMd5, ETag,
    LeaseId,
};

use super::fixture::{assert_refused, container};
use crate::support::azurite::{ACCOUNT, Azurite};

tests![
    staged_blocks_become_a_blob_in_the_order_of_the_list,
    a_blob_is_put_together_anew_from_what_it_has,
    a_block_that_is_not_there_is_refused_and_nothing_changes,
    a_commit_stores_what_it_is_given_and_drops_what_was_stored,
    blocks_are_staged_and_committed_under_a_lease_and_on_conditions,
    a_snapshot_keeps_its_list_of_blocks,
];

async fn blob(azurite: &Azurite) -> BlockBlobClient {
    container(azurite, &ACCOUNT).await.block_blob_client("made of blocks")
}

async fn content(blob: &BlockBlobClient) -> String {
    let bytes = blob.download().await.unwrap().bytes().await.unwrap();
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Ids and sizes, as listed.
fn listed(blocks: &[Block]) -> Vec<(BlockId, u64)> {
    blocks.iter().map(|block| (block.id.clone(), block.size)).collect()
}

async fn staged_blocks_become_a_blob_in_the_order_of_the_list(azurite: &Azurite) {
    let blob = blob(azurite).await;
    let [a, b, c] = [1, 2, 3].map(BlockId::numbered);
    for (id, content) in [(&c, "three"), (&a, "one"), (&b, "fourteen")] {
        blob.stage_block(id, content).await.unwrap();
    }
    // Staging an id again replaces the block.
    blob.stage_block(&b, "two").await.unwrap();
    assert!(!blob.exists().await.unwrap());
    let list = blob.get_block_list().await.unwrap();
    assert!(list.committed.is_empty(), "{list:?}");
    let mut staged = listed(&list.uncommitted);
    // The service orders them by id, the emulator by arrival.
    staged.sort();
    assert_eq!(staged, [(a.clone(), 3), (b.clone(), 3), (c.clone(), 5)]);

    let committed = blob.commit_block_list([&c, &a, &b]).await.unwrap();
    assert_eq!(blob.get_properties().await.unwrap().etag, committed.etag);
    assert_eq!(content(&blob).await, "threeonetwo");
    let list = blob.get_block_list().await.unwrap();
    assert_eq!(listed(&list.committed), [(c.clone(), 5), (a.clone(), 3), (b.clone(), 3)]);
    assert!(list.uncommitted.is_empty(), "{list:?}");
}

async fn a_blob_is_put_together_anew_from_what_it_has(azurite: &Azurite) {
    let blob = blob(azurite).await;
    let [a, b, c] = [1, 2, 3].map(BlockId::numbered);
    blob.stage_block(&a, "A").await.unwrap();
    blob.stage_block(&b, "B").await.unwrap();
    blob.commit_block_list([&a, &b]).await.unwrap();

    // In reverse order, one of them twice, and a new one in between.
    blob.stage_block(&c, "+").await.unwrap();
    let both = blob.get_block_list().await.unwrap();
    assert_eq!(listed(&both.committed), [(a.clone(), 1), (b.clone(), 1)]);
    assert_eq!(listed(&both.uncommitted), [(c.clone(), 1)]);
    blob.commit_block_list([&b, &c, &a, &b]).await.unwrap();
    assert_eq!(content(&blob).await, "B+AB");

    // If an id is both committed and uncommitted, each lookup takes its own.
    use BlockListEntry::{Committed, Latest, Uncommitted};
    let old = Committed(a.clone());
    for (lookup, expected) in [(old, "A"), (Uncommitted(a.clone()), "new"), (Latest(a), "newest")] {
        let id = lookup.id().clone();
        blob.stage_block(id, expected).await.unwrap();
        blob.commit_block_list([lookup]).await.unwrap();
        assert_eq!(content(&blob).await, expected);
    }
    // An empty list makes an empty blob.
    blob.commit_block_list([] as [BlockId; 0]).await.unwrap();
    assert_eq!(blob.get_properties().await.unwrap().content_length, 0);
}

async fn a_block_that_is_not_there_is_refused_and_nothing_changes(azurite: &Azurite) {
    let blob = blob(azurite).await;
    let [a, missing] = [1, 2].map(BlockId::numbered);
    blob.stage_block(&a, "A").await.unwrap();
    let refused = [(400, "InvalidBlockList")];
    assert_refused(blob.commit_block_list([&a, &missing]).await, &refused);
    assert_refused(blob.commit_block_list([BlockListEntry::Committed(a.clone())]).await, &refused);
    assert!(!blob.exists().await.unwrap());

    blob.commit_block_list([&a]).await.unwrap();
    assert_refused(blob.commit_block_list([BlockListEntry::Uncommitted(a)]).await, &refused);
    assert_eq!(content(&blob).await, "A");
}

async fn a_commit_stores_what_it_is_given_and_drops_what_was_stored(azurite: &Azurite) {
    let blob = blob(azurite).await;
    blob.upload("old").content_type("text/old").metadata([("old", "yes")]).await.unwrap();
    let id =
        BlockId::new("an id of 64 bytes, the longest that there is: ..................").unwrap();
    blob.stage_block(&id, "new").await.unwrap();
    let committed = blob
        .commit_block_list([&id])
        .content_type("text/plain; charset=utf-8")
        .content_encoding("identity")
        .content_language("de-AT")
        .content_disposition("attachment; filename=\"a b.txt\"")
        .cache_control("no-cache, max-age=0")
        .stored_md5("CY9rzUYh03PK3k6DJie09g==".parse::<ContentMd5>().unwrap())
        .metadata([("new", "yes")])
        .tags([("state", "ready")])
        .tier(AccessTier::Cool)
        .await
        .unwrap();

    let found = blob.get_properties().await.unwrap();
    assert_eq!(found.etag, committed.etag);
    assert_eq!(found.content_type.as_deref(), Some("text/plain; charset=utf-8"));
    assert_eq!(found.content_encoding.as_deref(), Some("identity"));
    assert_eq!(found.content_language.as_deref(), Some("de-AT"));
    assert_eq!(found.content_disposition.as_deref(), Some("attachment; filename=\"a b.txt\""));
    assert_eq!(found.cache_control.as_deref(), Some("no-cache, max-age=0"));
    assert_eq!(found.content_md5, "CY9rzUYh03PK3k6DJie09g==".parse().ok());
    assert_eq!(found.metadata.iter().collect::<Vec<_>>(), [("new", "yes")]);
    assert_eq!((found.tag_count, found.access_tier), (Some(1), Some(AccessTier::Cool)));
}

async fn blocks_are_staged_and_committed_under_a_lease_and_on_conditions(azurite: &Azurite) {
    let blob = blob(azurite).await;
    let id = BlockId::numbered(1);
    let old = blob.upload("old").await.unwrap().etag.unwrap();
    let lease: LeaseId = blob.acquire_infinite_lease().await.unwrap().lease_id;

    let missing = [(412, "LeaseIdMissing")];
    assert_refused(blob.stage_block(&id, "new").await, &missing);
    blob.stage_block(&id, "new").lease_id(lease.clone()).await.unwrap();
    assert_refused(blob.commit_block_list([&id]).await, &missing);
    let is = |etag: ETag| Conditions::new().if_match(etag);
    let commit = || blob.commit_block_list([&id]).lease_id(lease.clone());
    let other = "\"0x8D0000000000000\"".parse().unwrap();
    assert_refused(commit().conditions(is(other)).await, &[(412, "ConditionNotMet")]);
    assert_eq!(content(&blob).await, "old");
    commit().conditions(is(old)).await.unwrap();
    assert_eq!(content(&blob).await, "new");
}

async fn a_snapshot_keeps_its_list_of_blocks(azurite: &Azurite) {
    let blob = blob(azurite).await;
    let [a, b] = [1, 2].map(BlockId::numbered);
    blob.stage_block(&a, "A").await.unwrap();
    blob.commit_block_list([&a]).await.unwrap();
    let snapshot = blob.create_snapshot().await.unwrap().snapshot;
    blob.stage_block(&b, "BB").await.unwrap();

    let list = blob.with_snapshot(&snapshot).get_block_list().await.unwrap();
    assert_eq!((listed(&list.committed), list.uncommitted.len()), (vec![(a.clone(), 1)], 0));
    let list = blob.get_block_list().await.unwrap();
    assert_eq!(listed(&list.uncommitted), [(b, 2)]);

    let disk = container(azurite, &ACCOUNT).await.page_blob_client("disk");
    disk.create(512).await.unwrap();
    let list = disk.block_blob_client().get_block_list().await;
    assert_refused(list, &[(409, "InvalidBlobType")]);
}
