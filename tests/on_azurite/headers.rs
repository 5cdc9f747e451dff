//! Metadata and headers stored with a blob: set and read back.

use blobcopy::{BlobInclude, Conditions};

use super::fixture::{assert_refused, container};
use crate::support::azurite::{ACCOUNT, Azurite};

tests![
    metadata_is_replaced_as_a_whole_by_a_write_of_its_own,
    metadata_is_set_on_conditions_and_under_a_lease,
    a_list_tells_of_a_blob_what_its_properties_do,
    uncommitted_blobs_are_listed_when_they_are_asked_for,
];

async fn metadata_is_replaced_as_a_whole_by_a_write_of_its_own(azurite: &Azurite) {
    let blob = container(azurite, &ACCOUNT).await.block_blob_client("notes");
    let old = blob.upload("notes").metadata([("a", "1"), ("b", "2")]).await.unwrap();
    let set = blob.set_metadata([("b", "3"), ("Case", "Kept As It Is"), ("empty", "")]);
    let set = set.await.unwrap();
    assert!(set.etag.is_some() && set.etag != old.etag, "{set:?}");

    let found = blob.get_properties().await.unwrap();
    assert_eq!((&found.etag, found.last_modified), (&set.etag, set.last_modified));
    assert_eq!((found.metadata.len(), found.metadata.get("a")), (3, None));
    assert_eq!((found.metadata.get("b"), found.metadata.get("empty")), (Some("3"), Some("")));
    assert_eq!(found.metadata.get("case"), Some("Kept As It Is"));
    assert_eq!(blob.download().await.unwrap().properties.metadata, found.metadata);
    blob.set_metadata([] as [(&str, &str); 0]).await.unwrap();
    assert!(blob.get_properties().await.unwrap().metadata.is_empty());
    assert_eq!(blob.download().await.unwrap().bytes().await.unwrap(), "notes");
}

async fn metadata_is_set_on_conditions_and_under_a_lease(azurite: &Azurite) {
    let disk = container(azurite, &ACCOUNT).await.page_blob_client("disk");
    let etag = disk.create(512).await.unwrap().etag.unwrap();
    let set = || disk.set_metadata([("k", "v")]);
    let unmet = Conditions::new().if_none_match(etag.clone());
    assert_refused(set().conditions(unmet).await, &[(412, "ConditionNotMet")]);
    set().conditions(Conditions::new().if_match(etag)).await.unwrap();
    let lease = disk.acquire_infinite_lease().await.unwrap().lease_id;
    assert_refused(set().await, &[(412, "LeaseIdMissing")]);
    set().lease_id(lease).await.unwrap();
    let missing = container(azurite, &ACCOUNT).await.blob_client("missing");
    assert_refused(missing.set_metadata([("k", "v")]).await, &[(404, "BlobNotFound")]);
}

async fn a_list_tells_of_a_blob_what_its_properties_do(azurite: &Azurite) {
    let container = container(azurite, &ACCOUNT).await;
    let disk = container.page_blob_client("a disk");
    disk.create(1024).sequence_number(3).metadata([("Of", "a machine")]).await.unwrap();
    disk.acquire_infinite_lease().await.unwrap();
    let log = container.append_blob_client("b log");
    log.create().content_type("text/x-log").await.unwrap();
    log.append_block("line\n").await.unwrap();
    let notes = container.block_blob_client("c <notes> & more.txt");
    notes.upload("notes").content_type("text/plain; charset=\"utf-8\"").await.unwrap();
    let copy = container.blob_client("d copy");
    copy.start_copy_from_uri(&notes).await.unwrap();

    let list = container.list_blobs().include([BlobInclude::Metadata, BlobInclude::Copy]);
    let listed = list.collect_all().await.unwrap();
    let names: Vec<_> = listed.iter().map(|blob| blob.name.as_str()).collect();
    assert_eq!(names, ["a disk", "b log", "c <notes> & more.txt", "d copy"]);
    for blob in listed {
        let mut found = container.blob_client(&blob.name).get_properties().await.unwrap();
        let mut listed = blob.properties;
        // A list does not report the number of blocks of an append blob.
        found.committed_block_count = None;
        // Azurite reports the seal only in the properties of a single blob, and page blob tiers and
        // copies' access times only in one of the two places.
        for of in [&mut found, &mut listed] {
            of.is_sealed = None;
            of.access_tier = None;
            of.is_access_tier_inferred = None;
            of.access_tier_changed_on = None;
        }
        assert_eq!(listed, found, "{}", blob.name);
    }
}

async fn uncommitted_blobs_are_listed_when_they_are_asked_for(azurite: &Azurite) {
    let container = container(azurite, &ACCOUNT).await;
    container.block_blob_client("committed").upload("x").await.unwrap();
    let staged = container.block_blob_client("staged");
    staged.stage_block(blobcopy::BlockId::numbered(1), "x").await.unwrap();

    let names = async |include: &[BlobInclude]| -> Vec<String> {
        let page =
            container.list_blobs().include(include.iter().copied()).collect_all().await.unwrap();
        page.into_iter().map(|blob| blob.name).collect()
    };
    assert_eq!(names(&[]).await, ["committed"]);
    assert_eq!(names(&[BlobInclude::UncommittedBlobs]).await, ["committed", "staged"]);
}
