//! Index tags: set, read, used in conditions and listed.

use blobcopy::{
    BlobClient, BlobInclude, Conditions, Tags,
    sas::{BlobSasPermissions, ContainerSasPermissions},
};

use super::fixture::{assert_refused, blob_sas, container, container_sas, with_query};
use crate::support::azurite::{ACCOUNT, Azurite};

tests![
    tags_are_replaced_as_a_whole_and_change_no_etag,
    tags_of_an_upload_go_with_the_next_one,
    more_tags_than_ten_are_refused,
    a_condition_on_tags_is_judged,
    tags_are_set_under_a_lease,
    a_sas_needs_a_permission_of_its_own_for_tags,
    tags_of_a_list_are_those_of_each_blob,
];

const UNMET: &[(u16, &str)] = &[(412, "ConditionNotMet")];

async fn blob(azurite: &Azurite) -> BlobClient {
    let blob = container(azurite, &ACCOUNT).await.block_blob_client("tagged");
    blob.upload("content").await.unwrap();
    (*blob).clone()
}

fn if_tags(expression: &str) -> Conditions {
    Conditions::new().if_tags(expression)
}

async fn tags_are_replaced_as_a_whole_and_change_no_etag(azurite: &Azurite) {
    let blob = blob(azurite).await;
    assert!(blob.get_tags().await.unwrap().is_empty());
    let etag = blob.get_properties().await.unwrap().etag;

    for tags in [
        Tags::from([("project", "a b"), ("stage", "1/2")]),
        Tags::from([("+-./:=_ 09azAZ", " =:/.-+_")]),
        Tags::from([("only", "one")]),
        Tags::new(),
    ] {
        blob.set_tags(tags.clone()).await.unwrap_or_else(|error| panic!("{tags:?}: {error}"));
        assert_eq!(blob.get_tags().await.unwrap(), tags);
        let found = blob.get_properties().await.unwrap();
        assert_eq!(found.tag_count.unwrap_or(0), tags.len() as u64, "{tags:?}");
        assert_eq!(found.etag, etag);
    }
}

async fn tags_of_an_upload_go_with_the_next_one(azurite: &Azurite) {
    let blob = blob(azurite).await;
    let upload = blob.block_blob_client().upload("new").tags([("a&b=c", "x+y z")]).await;
    // No tag may contain & or =, however encoded. Azurite has an odd code for it.
    let refused = [(400, "InvalidTag"), (400, "InvalidInput"), (400, "DuplicateTagNames")];
    assert_refused(upload, &refused);
    // An empty value only works this way: Azurite refuses it in the body of Set Blob Tags.
    let tags = Tags::from([("a:b", "x+y z"), ("empty", "")]);
    blob.block_blob_client().upload("new").tags(tags.clone()).await.unwrap();
    assert_eq!(blob.get_tags().await.unwrap(), tags);
    blob.block_blob_client().upload("newer").await.unwrap();
    assert!(blob.get_tags().await.unwrap().is_empty());
}

async fn more_tags_than_ten_are_refused(azurite: &Azurite) {
    let blob = blob(azurite).await;
    let many = |count: usize| -> Tags {
        let pairs = (0..count).map(|number| (format!("tag{number}"), "v".to_owned()));
        pairs.collect()
    };
    blob.set_tags(many(10)).await.unwrap();
    assert_eq!(blob.get_tags().await.unwrap().len(), 10);
    let refused = blob.set_tags(many(11)).await.unwrap_err();
    assert!(
        matches!(refused.status().map(|status| status.as_u16()), None | Some(400)),
        "{refused}"
    );
    assert_eq!(blob.get_tags().await.unwrap().len(), 10);
}

async fn a_condition_on_tags_is_judged(azurite: &Azurite) {
    let blob = blob(azurite).await;
    blob.set_tags([("state", "ready"), ("date", "2026-01-05")]).await.unwrap();
    for met in [
        "\"state\" = 'ready'",
        "\"state\" <> 'gone'",
        "\"state\" = 'ready' AND \"date\" >= '2026-01-01' AND \"date\" < '2026-02-01'",
        "\"state\" = 'gone' OR \"date\" > '2026-01-04'",
    ] {
        blob.get_properties().conditions(if_tags(met)).await.expect(met);
        blob.download().conditions(if_tags(met)).await.expect(met);
        blob.get_tags().conditions(if_tags(met)).await.expect(met);
    }
    for unmet in [
        "\"state\" = 'gone'",
        "\"missing\" = 'ready'",
        "\"state\" = 'ready' AND \"date\" < '2026-01-01'",
    ] {
        assert_refused(blob.get_properties().conditions(if_tags(unmet)).await, UNMET);
        assert_refused(blob.download().conditions(if_tags(unmet)).await, UNMET);
        assert_refused(blob.get_tags().conditions(if_tags(unmet)).await, UNMET);
        assert_refused(blob.set_metadata([("k", "v")]).conditions(if_tags(unmet)).await, UNMET);
        assert_refused(blob.create_snapshot().conditions(if_tags(unmet)).await, UNMET);
        assert_refused(blob.delete().conditions(if_tags(unmet)).await, UNMET);
    }
    // Azurite ignores conditions when it sets tags.
    let ready = if_tags("\"state\" = 'ready'");
    blob.set_tags([("state", "gone")]).conditions(ready.clone()).await.unwrap();
    assert_refused(blob.delete().conditions(ready).await, UNMET);
    blob.delete().conditions(if_tags("\"state\" = 'gone'")).await.unwrap();
}

async fn tags_are_set_under_a_lease(azurite: &Azurite) {
    let blob = blob(azurite).await;
    blob.set_tags([("k", "v")]).await.unwrap();
    let lease = blob.acquire_infinite_lease().await.unwrap().lease_id;
    assert_refused(blob.set_tags([("k", "w")]).await, &[(412, "LeaseIdMissing")]);
    blob.set_tags([("k", "w")]).lease_id(lease.clone()).await.unwrap();
    let wrong = "66666666-7777-8888-9999-aaaaaaaaaaaa".parse::<blobcopy::LeaseId>().unwrap();
    let refused = blob.get_tags().lease_id(wrong).await.unwrap_err();
    // The documentation has both.
    let status = refused.status().map(|status| status.as_u16());
    assert!(matches!(status, Some(409 | 412)), "{refused}");
    assert_eq!(blob.get_tags().lease_id(lease).await.unwrap().get("k"), Some("w"));
}

async fn a_sas_needs_a_permission_of_its_own_for_tags(azurite: &Azurite) {
    let blob = blob(azurite).await;
    let may = |permissions| {
        let url = with_query(blob.url().unwrap(), blob_sas(&ACCOUNT, &blob, permissions).expose());
        BlobClient::new(url, blobcopy::Credential::anonymous()).unwrap()
    };
    let may_not = [(403, "AuthorizationPermissionMismatch")];
    let reader_and_writer = may(BlobSasPermissions::new().read().write());
    assert_refused(reader_and_writer.get_tags().await, &may_not);
    assert_refused(reader_and_writer.set_tags([("k", "v")]).await, &may_not);
    let tagger = may(BlobSasPermissions::new().tags());
    tagger.set_tags([("k", "v")]).await.unwrap();
    assert_eq!(tagger.get_tags().await.unwrap().get("k"), Some("v"));
    assert_refused(tagger.download().await, &may_not);
}

async fn tags_of_a_list_are_those_of_each_blob(azurite: &Azurite) {
    let container = container(azurite, &ACCOUNT).await;
    for name in ["a", "b"] {
        let blob = container.block_blob_client(name);
        blob.upload("x").tags([("name", name)]).await.unwrap();
    }
    let list = container_sas(&ACCOUNT, &container, ContainerSasPermissions::new().list().tags());
    let url = with_query(container.url().unwrap(), list.expose());
    let by_sas =
        blobcopy::BlobContainerClient::new(url, blobcopy::Credential::anonymous()).unwrap();
    let page = by_sas.list_blobs().include([BlobInclude::Tags]).collect_all().await.unwrap();
    let listed: Vec<_> = page.iter().map(|blob| blob.tags.get("name")).collect();
    assert_eq!(listed, [Some("a"), Some("b")]);
    let page = by_sas.list_blobs().collect_all().await.unwrap();
    assert!(page.iter().all(|blob| blob.tags.is_empty()), "{page:?}");
}
