//! Names that the service stores in another form, and names that only appear in lists.

use blobcopy::{
    BlobClient, CopyToken, Credential, SharedKey,
    sas::{BlobSasPermissions, ServiceSas},
};
use time::macros::datetime;
use url::Url;

use crate::support::script::{Script, answer, answer_with};

const STORED_OTHERWISE: [(&str, &str); 5] = [
    ("disk.", "dot"),
    ("folder/disk...", "dot"),
    ("folder\\disk", "which the service stores as /"),
    ("folder./disk", "path segment that ends with a dot"),
    ("a/../disk", "path segment that is . or .."),
];

#[tokio::test]
async fn a_name_that_would_reach_another_blob_is_refused_before_anything_is_sent() {
    let script = Script::new([]);
    let vhds = script.service().container_client("vhds");
    let key = SharedKey::new("acct", "c2VjcmV0").expect("a key");
    for (name, rule) in STORED_OTHERWISE {
        let blob = vhds.blob_client(name);
        let source = vhds.blob_client("disk");
        let to = blob.start_copy_from_uri(&source).await.expect_err(name);
        let from = source.start_copy_from_uri(&blob).await.expect_err(name);
        let url = blob.url().expect_err(name);
        let sas = ServiceSas::blob("vhds", name)
            .permissions(BlobSasPermissions::new().read())
            .expires(datetime!(2026-02-01 00:00 UTC))
            .sign(&key)
            .expect_err(name);
        for error in [to, from, url, sas] {
            let error = error.to_string();
            assert!(error.starts_with("blob") && error.contains(rule), "{error}");
        }
    }
    assert!(script.seen().is_empty());
}

#[tokio::test]
async fn a_url_or_a_token_means_the_blob_that_the_service_means() {
    let script = Script::new([answer(200, "Content-Length: 0\nx-ms-blob-type: BlockBlob")]);
    let options = || script.service();
    let host = "https://acct.blob.core.windows.net/vhds";
    for (written, name, path) in [
        ("disk%2E", "disk", "/vhds/disk"),
        ("a/disk...", "a/disk", "/vhds/a/disk"),
        ("a%5Cdisk", "a/disk", "/vhds/a/disk"),
        ("a./disk", "a./disk", "/vhds/a./disk"),
        ("//a", "//a", "/vhds///a"),
    ] {
        let url: Url = format!("{host}/{written}").parse().expect("a URL");
        let key = Credential::shared_key("acct", "c2VjcmV0").expect("a key");
        let blob = BlobClient::new(url.clone(), key).expect(written);
        assert_eq!((blob.name(), blob.url().expect(written).path()), (name, path));

        let token = CopyToken::new(url, "id-1".parse::<blobcopy::CopyId>().expect("an id"));
        let copy = options().resume(&token).expect(written);
        assert_eq!(copy.blob().name(), name);
        copy.blob().get_properties().await.expect(written);
        assert_eq!(script.seen().last().expect("sent").url().path(), path);
    }
}

#[tokio::test]
async fn what_a_listing_returned_is_used_as_it_is() {
    let names = ["a./b", "disk.", "x\\y", "plain", "/lead//ing/"];
    let entries: String = names
        .iter()
        .map(|name| {
            format!(
                "<Blob><Name>{name}</Name><Snapshot>2026-01-01T00:00:00.1234567Z</Snapshot></Blob>\
                 <Blob><Name>{name}</Name></Blob>"
            )
        })
        .collect();
    let list = format!("<EnumerationResults><Blobs>{entries}</Blobs></EnumerationResults>");
    let found = answer(200, "Content-Length: 0\nx-ms-blob-type: BlockBlob");
    let script = Script::new([answer_with(&list), found]);
    let vhds = script.service().container_client("vhds");
    let items = vhds.list_blobs().collect_all().await.expect("listed");
    assert_eq!(items.len(), 2 * names.len());
    for (item, name) in items.iter().zip(names.iter().flat_map(|name| [name, name])) {
        let blob = vhds.blob_client_of(item);
        assert_eq!((blob.name(), blob.snapshot()), (*name, item.snapshot.as_ref()));
        blob.get_properties().await.expect("sent");
        let sent = script.seen().last().expect("sent").url().clone();
        let path = sent.path().strip_prefix("/vhds/").expect("in the container");
        let path = percent_encoding::percent_decode_str(path).decode_utf8().expect("text");
        assert_eq!(path, *name);
        assert_eq!(sent.query().is_some(), item.snapshot.is_some(), "{sent}");
    }
}
