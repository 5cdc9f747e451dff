//! Managed disks and their snapshots, by the URLs of granted access.

use std::sync::{Arc, Mutex};

use blobcopy::{
    AccessToken, BlobClient, BlobServiceClient, ClientOptions, Clock, Credential, CredentialError,
    SnapshotId, TokenProvider, transport::BoxFuture,
};
use time::macros::datetime;
use url::Url;

use crate::support::script::{Script, Step, answer};

const DISK: &str = "https://md-abc.z01.blob.storage.azure.net/x1y2/abcd?\
                    sv=2018-03-28&sr=b&si=1&sk=key1&sig=U0VDUkVU%3D";

/// Records the requested scopes.
#[derive(Debug, Clone, Default)]
struct Login(Arc<Mutex<Vec<String>>>);

impl TokenProvider for Login {
    fn token<'a>(&'a self, scope: &'a str) -> BoxFuture<'a, Result<AccessToken, CredentialError>> {
        self.0.lock().expect("no test panics while it holds it").push(scope.to_owned());
        Box::pin(async { Ok(AccessToken::new("TOKEN", datetime!(2030-01-01 00:00 UTC))) })
    }
}

fn options(script: &Script) -> ClientOptions {
    let clock = Clock::starting_at(datetime!(2026-01-01 00:00 UTC));
    ClientOptions::new().transport(script.clone()).clock(clock)
}

#[tokio::test(start_paused = true)]
async fn a_disk_that_demands_both_gets_its_sas_and_a_token_for_disks() {
    let length = vec![("x-ms-blob-content-length".to_owned(), "512".to_owned())];
    let body = "<PageList></PageList>".to_owned();
    let script = Script::new([Step::Answer { status: 200, headers: length, body }]);
    let login = Login::default();
    let url: Url = DISK.parse().expect("a URL");
    let credential = Credential::token(login.clone());
    let disk = BlobClient::builder(url.clone())
        .credential(credential)
        .options(options(&script))
        .build()
        .expect("both");
    let earlier: Url = DISK.replace("/abcd", "/earlier").parse().expect("a URL");
    disk.page_blob_client()
        .get_managed_disk_page_ranges_diff(&earlier)
        .collect_all()
        .await
        .expect("listed");

    let sent = &script.seen()[0];
    let query = sent.url().query().expect("a query");
    assert!(query.ends_with(url.query().expect("a SAS")), "byte for byte: {query}");
    assert_eq!(sent.headers()["authorization"], "Bearer TOKEN");
    assert!(sent.headers()["authorization"].is_sensitive());
    assert_eq!(sent.headers()["x-ms-previous-snapshot-url"], earlier.as_str());
    let shown = format!(
        "{disk:?} {:?}",
        disk.page_blob_client().get_managed_disk_page_ranges_diff(&earlier)
    );
    assert!(!shown.contains("U0VDUkVU") && !shown.contains("TOKEN"), "{shown}");
    let scopes = login.0.lock().expect("unlocked").clone();
    assert_eq!(scopes, ["https://disk.azure.com//.default"]);
}

#[tokio::test(start_paused = true)]
async fn pages_of_a_disk_are_read_with_its_sas_and_its_token() {
    let source = Script::new([]);
    let credential = Credential::token(Login::default());
    let url: Url = DISK.parse().expect("a URL");
    let disk = BlobClient::builder(url)
        .credential(credential)
        .options(options(&source))
        .build()
        .expect("both");
    let target = Script::new([answer(201, "")]);
    let to = target.service().container_client("vhds").page_blob_client("disk.vhd");
    to.upload_pages_from_uri(&disk, 0..512, 0).await.expect("written");
    let seen = target.seen();
    let sent = seen[0].headers();
    assert_eq!(sent["x-ms-copy-source"], DISK);
    assert_eq!(sent["x-ms-copy-source-authorization"], "Bearer TOKEN");
}

#[tokio::test]
async fn an_increment_of_a_disk_is_refused_and_its_snapshot_is_kept_in_every_call() {
    let snapshot: SnapshotId = "2026-01-01T00:00:00.1234567Z".parse().expect("a snapshot");
    let script = Script::new([answer(200, "Content-Length: 512\nx-ms-blob-type: PageBlob")]);
    let backup = script.service().container_client("vhds").page_blob_client("disk.vhd");
    let url: Url = format!("{DISK}&snapshot={snapshot}").parse().expect("a URL");
    let error = backup.start_copy_incremental(&url, &snapshot).await.expect_err("a disk");
    assert!(error.to_string().contains("get_managed_disk_page_ranges_diff"), "{error}");
    assert!(!error.to_string().contains("U0VDUkVU"), "{error}");
    assert!(script.seen().is_empty());

    let disk = BlobClient::builder(url).options(options(&script)).build();
    let disk = disk.expect("a client");
    disk.get_properties().await.expect("sent");
    let query = script.seen()[0].url().query().expect("a query").to_owned();
    assert_eq!(query.matches("snapshot=").count(), 1, "{query}");
}

#[test]
fn a_sas_beside_a_token_is_for_one_blob_or_container_only() {
    let endpoint: Url =
        "https://acct.blob.core.windows.net/?sp=r&sig=SECRET".parse().expect("a URL");
    let error = BlobServiceClient::new(endpoint, Credential::token(Login::default()));
    let error = error.expect_err("both").to_string();
    assert!(error.contains("give only one of them") && !error.contains("SECRET"), "{error}");
}
