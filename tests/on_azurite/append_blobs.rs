//! Append blobs: creation, appending, and append conditions on the length.

use blobcopy::{AppendBlobClient, BlobType, Conditions, ETag, sas::BlobSasPermissions};

use super::fixture::{assert_refused, blob_sas, container, with_query};
use crate::support::azurite::{ACCOUNT, Azurite};

tests![
    a_new_append_blob_is_empty_and_what_it_was_created_as,
    each_block_is_put_behind_the_last,
    what_is_not_as_long_as_was_thought_is_not_appended_to,
    conditions_and_leases_hold_for_what_is_appended,
    only_append_blobs_are_appended_to,
    a_sas_that_may_add_appends_and_writes_nothing_over,
    an_append_blob_is_copied_as_one,
];

async fn log(azurite: &Azurite) -> AppendBlobClient {
    let log = container(azurite, &ACCOUNT).await.append_blob_client("a log");
    log.create().await.unwrap();
    log
}

async fn content(log: &AppendBlobClient) -> String {
    let bytes = log.download().await.unwrap().bytes().await.unwrap();
    String::from_utf8(bytes.to_vec()).unwrap()
}

async fn a_new_append_blob_is_empty_and_what_it_was_created_as(azurite: &Azurite) {
    let log = container(azurite, &ACCOUNT).await.append_blob_client("a log");
    let create = log.create().content_type("text/x-log").metadata([("of", "a day")]);
    let created = create.tags([("state", "open")]).await.unwrap();

    let found = log.get_properties().await.unwrap();
    assert_eq!((found.blob_type, found.content_length), (Some(BlobType::AppendBlob), 0));
    assert_eq!((found.etag, found.last_modified), (created.etag, created.last_modified));
    assert_eq!(found.content_type.as_deref(), Some("text/x-log"));
    assert_eq!((found.metadata.get("of"), found.tag_count), (Some("a day"), Some(1)));
    assert_eq!(found.committed_block_count, Some(0));
    let exists = [(409, "BlobAlreadyExists"), (412, "ConditionNotMet")];
    let must_be_new = Conditions::new().if_none_match(ETag::ANY);
    assert_refused(log.create().conditions(must_be_new).await, &exists);
}

async fn each_block_is_put_behind_the_last(azurite: &Azurite) {
    let log = log(azurite).await;
    let mut expected = String::new();
    for (count, line) in [(1, "one\n"), (2, "two\n"), (3, "a third\n")] {
        let appended = log.append_block(line).await.unwrap();
        assert_eq!(appended.offset, Some(expected.len() as u64));
        assert_eq!(appended.committed_block_count, Some(count));
        expected.push_str(line);
        let found = log.get_properties().await.unwrap();
        assert_eq!((found.etag, found.last_modified), (appended.etag, appended.last_modified));
        assert_eq!(found.content_length, expected.len() as u64);
        assert_eq!(found.committed_block_count, Some(count));
    }
    assert_eq!(content(&log).await, expected);
    // Created again, it is empty again.
    log.create().await.unwrap();
    assert_eq!(content(&log).await, "");
}

async fn what_is_not_as_long_as_was_thought_is_not_appended_to(azurite: &Azurite) {
    let log = log(azurite).await;
    log.append_block("12345").if_length(0).max_length(5).await.unwrap();

    let elsewhere = [(412, "AppendPositionConditionNotMet")];
    for length in [0, 4, 6] {
        assert_refused(log.append_block("x").if_length(length).await, &elsewhere);
    }
    let too_long = [(412, "MaxBlobSizeConditionNotMet")];
    assert_refused(log.append_block("678").max_length(7).await, &too_long);
    assert_eq!(content(&log).await, "12345");

    let appended = log.append_block("678").if_length(5).max_length(8).await.unwrap();
    assert_eq!((appended.offset, appended.committed_block_count), (Some(5), Some(2)));
    assert_eq!(content(&log).await, "12345678");
}

async fn conditions_and_leases_hold_for_what_is_appended(azurite: &Azurite) {
    let log = log(azurite).await;
    let first = log.append_block("1").await.unwrap().etag.unwrap();
    let is = |etag: &ETag| Conditions::new().if_match(etag.clone());
    let second = log.append_block("2").conditions(is(&first)).await.unwrap().etag.unwrap();
    assert_ne!(first, second);
    let unmet = [(412, "ConditionNotMet")];
    assert_refused(log.append_block("x").conditions(is(&first)).await, &unmet);

    let lease = log.acquire_infinite_lease().await.unwrap().lease_id;
    assert_refused(log.append_block("x").await, &[(412, "LeaseIdMissing")]);
    log.append_block("3").lease_id(lease).await.unwrap();
    assert_eq!(content(&log).await, "123");
}

async fn only_append_blobs_are_appended_to(azurite: &Azurite) {
    let container = container(azurite, &ACCOUNT).await;
    container.block_blob_client("notes").upload("notes").await.unwrap();
    let notes = container.append_blob_client("notes");
    assert_refused(notes.append_block("more").await, &[(409, "InvalidBlobType")]);
    let missing = container.append_blob_client("missing");
    assert_refused(missing.append_block("more").await, &[(404, "BlobNotFound")]);
}

async fn a_sas_that_may_add_appends_and_writes_nothing_over(azurite: &Azurite) {
    let log = log(azurite).await;
    let sas = blob_sas(&ACCOUNT, &log, BlobSasPermissions::new().add());
    let url = with_query(log.url().unwrap(), sas.expose());
    let adder = AppendBlobClient::new(url, blobcopy::Credential::anonymous()).unwrap();
    adder.append_block("added").await.unwrap();
    let may_not = [(403, "AuthorizationPermissionMismatch")];
    assert_refused(adder.create().await, &may_not);
    assert_refused(adder.download().await, &may_not);
    assert_eq!(content(&log).await, "added");
}

async fn an_append_blob_is_copied_as_one(azurite: &Azurite) {
    let log = log(azurite).await;
    log.append_block("one\n").await.unwrap();
    log.append_block("two\n").await.unwrap();
    let copy = container(azurite, &ACCOUNT).await.append_blob_client("a copy");
    copy.start_copy_from_uri(&log).await.unwrap().wait().await.unwrap();
    let found = copy.get_properties().await.unwrap();
    assert_eq!((found.blob_type, found.content_length), (Some(BlobType::AppendBlob), 8));
    let appended = copy.append_block("three\n").await.unwrap();
    assert_eq!(appended.offset, Some(8));
    assert_eq!(content(&copy).await, "one\ntwo\nthree\n");
    assert_eq!(content(&log).await, "one\ntwo\n");
}
