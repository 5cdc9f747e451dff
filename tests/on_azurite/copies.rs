//! Copies of page and block blobs and their snapshots, within an account and between accounts: the
//! result, and the requests.

use blobcopy::{AccessTier, BlobClient, BlobContainerClient, BlobType, CopyStatus, Metadata, Tags};

use super::{
    fixture::{AWKWARD_NAMES, assert_refused, container, container_of, service_with},
    recording::Recording,
};
use crate::support::azurite::{ACCOUNT, Azurite, OTHER_ACCOUNT};

tests![
    pages_arrive_within_an_account_and_from_another,
    a_snapshot_is_copied_as_it_was,
    a_snapshot_can_be_brought_back_over_its_own_blob,
    awkward_names_are_copied_from_and_to,
    metadata_is_copied_or_replaced_but_never_mixed,
    tier_and_tags_are_those_of_the_request,
    an_archived_source_needs_a_tier_to_be_copied_to,
    a_copy_replaces_what_is_there,
    a_copy_that_is_over_with_its_start_costs_one_request,
];

async fn pages_arrive_within_an_account_and_from_another(azurite: &Azurite) {
    for of in [ACCOUNT, OTHER_ACCOUNT] {
        let disk = container(azurite, &of).await.page_blob_client("disk");
        disk.create(64 << 10).metadata([("origin", "disk0")]).await.unwrap();
        disk.upload_pages(4096, vec![7; 1024]).await.unwrap();
        let backup = container(azurite, &ACCOUNT).await.page_blob_client("backup");

        let mut copy = backup.start_copy_from_uri(&disk).await.unwrap();
        let done = copy.wait().await.unwrap();
        assert_eq!(done.copy_id, *copy.id());

        let properties = backup.get_properties().await.unwrap();
        assert_eq!(properties.blob_type, Some(BlobType::PageBlob));
        assert_eq!(properties.content_length, 64 << 10);
        assert_eq!(properties.metadata.get("origin"), Some("disk0"));
        let ranges = backup.get_page_ranges().collect_all().await.unwrap().ranges;
        assert_eq!(ranges.iter().map(|r| (r.start, r.end)).collect::<Vec<_>>(), [(4096, 5120)]);
        assert_eq!(content(&backup).await, content(&disk).await);
    }
}

async fn a_snapshot_is_copied_as_it_was(azurite: &Azurite) {
    for of in [ACCOUNT, OTHER_ACCOUNT] {
        let disk = container(azurite, &of).await.page_blob_client("disk");
        disk.create(1024).await.unwrap();
        disk.upload_pages(0, vec![1; 512]).await.unwrap();
        let taken = disk.create_snapshot().await.unwrap().snapshot;
        disk.upload_pages(0, vec![2; 1024]).await.unwrap();

        let backup = container(azurite, &ACCOUNT).await.page_blob_client("backup");
        let snapshot = disk.with_snapshot(&taken);
        backup.start_copy_from_uri(&snapshot).await.unwrap().wait().await.unwrap();
        assert_eq!(content(&backup).await, [[1; 512], [0; 512]].concat());

        // The copy is not a snapshot, and has none.
        assert!(backup.snapshot().is_none());
        backup.delete().await.unwrap();
    }
}

async fn a_snapshot_can_be_brought_back_over_its_own_blob(azurite: &Azurite) {
    let blob = container(azurite, &ACCOUNT).await.block_blob_client("blob");
    blob.upload("before").await.unwrap();
    let taken = blob.create_snapshot().await.unwrap().snapshot;
    blob.upload("after").await.unwrap();

    blob.start_copy_from_uri(&blob.with_snapshot(&taken)).await.unwrap().wait().await.unwrap();
    assert_eq!(content(&blob).await, b"before");
    assert_eq!(content(&blob.with_snapshot(&taken)).await, b"before");
}

async fn awkward_names_are_copied_from_and_to(azurite: &Azurite) {
    let here = container(azurite, &ACCOUNT).await;
    let there = container(azurite, &OTHER_ACCOUNT).await;
    for name in AWKWARD_NAMES {
        let source = there.block_blob_client(name);
        source.upload(name).await.expect(name);
        copied(&source, &here, name).await;
        copied(&here.blob_client(name), &here, &format!("{name} (2)")).await;
        let twice = here.blob_client(&format!("{name} (2)"));
        assert_eq!(content(&twice).await, name.as_bytes(), "{name}");
    }
}

async fn copied(source: &BlobClient, to: &BlobContainerClient, name: &str) {
    let mut copy = to.blob_client(name).start_copy_from_uri(source).await.expect(name);
    copy.wait().await.expect(name);
}

async fn metadata_is_copied_or_replaced_but_never_mixed(azurite: &Azurite) {
    type Pairs = &'static [(&'static str, &'static str)];

    let container = container(azurite, &ACCOUNT).await;
    let source = container.block_blob_client("source");
    source.upload("content").metadata([("a", "1"), ("b", "2")]).await.unwrap();

    let cases: [(Pairs, Pairs); 3] = [
        (&[], &[("a", "1"), ("b", "2")]),
        (&[("b", "3")], &[("b", "3")]),
        (&[("c", "4"), ("d", "x y")], &[("c", "4"), ("d", "x y")]),
    ];
    for (given, expected) in cases {
        let copy = container.blob_client("copy");
        let metadata: Metadata = given.iter().copied().collect();
        copy.start_copy_from_uri(&source).metadata(metadata).await.unwrap().wait().await.unwrap();
        let properties = copy.get_properties().await.unwrap();
        assert_eq!(properties.metadata.iter().collect::<Vec<_>>(), expected);
    }
}

async fn tier_and_tags_are_those_of_the_request(azurite: &Azurite) {
    let container = container(azurite, &ACCOUNT).await;
    let source = container.block_blob_client("source");
    source.upload("content").tier(AccessTier::Hot).tags([("of", "source")]).await.unwrap();
    assert_eq!(source.get_properties().await.unwrap().tag_count, Some(1));

    for tier in [AccessTier::Hot, AccessTier::Cool, AccessTier::Cold] {
        let copy = container.blob_client(tier.as_str());
        let tags = Tags::from([("project", "a b"), ("stage", "1/2")]);
        let start = copy.start_copy_from_uri(&source).tier(tier.clone()).tags(tags);
        start.await.unwrap().wait().await.unwrap();
        let properties = copy.get_properties().await.unwrap();
        assert_eq!((properties.access_tier, properties.tag_count), (Some(tier), Some(2)));
    }
    let copy = container.blob_client("without");
    copy.start_copy_from_uri(&source).await.unwrap().wait().await.unwrap();
    assert!(matches!(copy.get_properties().await.unwrap().tag_count, None | Some(0)));
}

async fn an_archived_source_needs_a_tier_to_be_copied_to(azurite: &Azurite) {
    let container = container(azurite, &ACCOUNT).await;
    let source = container.block_blob_client("source");
    source.upload("content").tier(AccessTier::Archive).await.unwrap();
    let copy = container.blob_client("copy");
    assert_refused(copy.start_copy_from_uri(&source).await, &[(409, "BlobArchived")]);
    assert!(!copy.exists().await.unwrap());
    copy.start_copy_from_uri(&source).tier(AccessTier::Hot).await.unwrap();
    assert_eq!(copy.get_properties().await.unwrap().access_tier, Some(AccessTier::Hot));
}

async fn a_copy_replaces_what_is_there(azurite: &Azurite) {
    let container = container(azurite, &ACCOUNT).await;
    let (source, copy) =
        (container.block_blob_client("source"), container.block_blob_client("copy"));
    source.upload("new").content_type("text/plain").await.unwrap();
    copy.upload("what was there").metadata([("old", "yes")]).await.unwrap();

    copy.start_copy_from_uri(&source).await.unwrap().wait().await.unwrap();
    let properties = copy.get_properties().await.unwrap();
    assert!(properties.metadata.is_empty(), "{:?}", properties.metadata);
    assert_eq!(properties.content_type.as_deref(), Some("text/plain"));
    assert_eq!(content(&copy).await, b"new");
}

async fn a_copy_that_is_over_with_its_start_costs_one_request(azurite: &Azurite) {
    let recording = Recording::default();
    let container = container_of(&service_with(azurite, &ACCOUNT, recording.options())).await;
    let source = container.block_blob_client("source");
    source.upload("content").await.unwrap();
    recording.take();

    let mut copy = container.blob_client("copy").start_copy_from_uri(&source).await.unwrap();
    assert!(copy.has_completed());
    assert_eq!(copy.status(), Some(&CopyStatus::Success));
    let done = copy.wait().await.unwrap();
    let exchanges = recording.take();
    let [start] = &exchanges[..] else { panic!("not one request: {exchanges:?}") };
    assert_eq!((start.method.as_str(), start.status.as_u16()), ("PUT", 202));
    assert_eq!(start.received["x-ms-copy-id"], done.copy_id.as_str());
    // The account's own key authorizes the source, so no SAS is generated for it.
    assert_eq!(start.sent["x-ms-copy-source"], source.url().unwrap().as_str());

    // Waiting again sends nothing either; a poll sends one request.
    assert_eq!(copy.wait().await.unwrap(), done);
    assert_eq!(recording.take().len(), 0);
    let state = copy.poll().await.unwrap();
    assert_eq!(state.etag, done.etag);
    assert_eq!(recording.take().len(), 1);
}

async fn content(blob: &BlobClient) -> Vec<u8> {
    blob.download().await.unwrap().bytes().await.unwrap().to_vec()
}
