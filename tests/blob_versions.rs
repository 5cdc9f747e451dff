//! Clients of a single version of a blob, and versions as copy sources.

use blobcopy::{AccessTier, BlobClient, VersionId};

use crate::support::script::{Script, Step, answer, sent, started};

const VERSION: &str = "2026-01-01T00:00:00.1234567Z";
const QUERY: &str = "versionid=2026-01-01T00%3A00%3A00.1234567Z";

fn version(script: &Script) -> BlobClient {
    let version: VersionId = VERSION.parse().expect("a version");
    script.service().container_client("vhds").blob_client("disk0.vhd").with_version(&version)
}

fn ok(status: u16) -> (Script, BlobClient) {
    let script = Script::new([answer(status, "Content-Length: 0\nETag: \"0x1\"")]);
    let blob = version(&script);
    (script, blob)
}

/// The method and the query of the only request.
fn only(script: &Script) -> (String, String) {
    let seen = script.seen();
    let [request] = &seen[..] else { panic!("{} requests", seen.len()) };
    (request.method().to_string(), request.url().query().unwrap_or_default().to_owned())
}

#[tokio::test(start_paused = true)]
async fn every_operation_on_a_version_names_it() {
    let (script, blob) = ok(200);
    blob.get_properties().await.expect("there");
    assert_eq!(only(&script), ("HEAD".to_owned(), QUERY.to_owned()));

    let (script, blob) = ok(200);
    blob.download().await.expect("opened");
    assert_eq!(only(&script), ("GET".to_owned(), QUERY.to_owned()));

    let (script, blob) = ok(202);
    blob.delete().await.expect("deleted");
    assert_eq!(only(&script), ("DELETE".to_owned(), QUERY.to_owned()));

    let (script, blob) = ok(200);
    blob.set_tier(AccessTier::Cool).await.expect("set");
    assert_eq!(only(&script), ("PUT".to_owned(), format!("{QUERY}&comp=tier")));
}

#[tokio::test(start_paused = true)]
async fn a_version_is_a_source_by_its_own_name() {
    let nothing: [Step; 0] = [];
    let source = version(&Script::new(nothing));
    let script = Script::new([started("id-1", "success")]);
    let service = script.service();
    let copy = service.container_client("backups").blob_client("disk0.vhd");
    // Within one account the request's own authorization is enough.
    copy.start_copy_from_uri(&source).await.expect("started");
    let url = format!("https://acct.blob.core.windows.net/vhds/disk0.vhd?{QUERY}");
    assert_eq!(sent(script.seen()[0].headers(), "x-ms-copy-source"), Some(&*url));

    // A synchronous read needs a SAS, which permits this version only.
    copy.copy_from_uri(&source).await.expect("copied");
    let request = &script.seen()[1];
    let sent = sent(request.headers(), "x-ms-copy-source").expect("a source");
    assert!(sent.starts_with(&format!("{url}&")), "{sent}");
    assert!(sent.contains("sr=bv") && sent.contains("sp=r") && sent.contains("sig="), "{sent}");
}
