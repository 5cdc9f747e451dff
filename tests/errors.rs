//! Error messages: the subject, the cause, and what to do.

use std::time::Duration;

use blobcopy::{BlobClient, CopyToken, Error, SnapshotId, transport::TransportErrorKind};
use blobcopy_simulator::Simulator;

use crate::support::script::{Script, Step, answer, properties, refusal, started};

const PLACE: &str = "https://acct.blob.core.windows.net/vhds/disk0.vhd";
const SNAPSHOT: &str = "2026-01-01T00:00:00.1234567Z";

fn blob(script: &Script) -> BlobClient {
    script.service().container_client("vhds").blob_client("disk0.vhd")
}

/// The error of one HEAD that gets the answer `step`.
async fn met(step: Step) -> Error {
    blob(&Script::new([step])).get_properties().await.expect_err("refused")
}

#[tokio::test(start_paused = true)]
async fn every_error_of_a_call_names_the_operation_and_the_blob() {
    let foreign = answer(200, "server: nginx");
    for (step, why) in [
        (refusal(404, "BlobNotFound"), "404 BlobNotFound: There is no such blob"),
        (refusal(503, "ServerBusy"), "503 ServerBusy: The service is busy"),
        (Step::Fault(TransportErrorKind::Connect), "scripted fault (4 attempts)"),
        (Step::Silence, "no response within 100s (4 attempts)"),
        (foreign, "unexpected response: none of the service's headers"),
    ] {
        let error = met(step).await;
        assert_eq!((error.operation(), error.url()), (Some("Get Blob Properties"), Some(PLACE)));
        let text = error.to_string();
        assert!(text.starts_with(&format!("Get Blob Properties {PLACE}: {why}")), "{text}");
    }
}

#[tokio::test(start_paused = true)]
async fn neither_a_sas_nor_a_snapshot_is_in_the_url() {
    let script = Script::new([refusal(404, "BlobNotFound")]);
    let url = format!("{PLACE}?snapshot={SNAPSHOT}&sv=2026-04-06&sr=b&sp=r&sig=SECRET");
    let url = url.parse().expect("a URL");
    let blob = BlobClient::builder(url).options(script.options()).build();
    let error = blob.expect("a client").get_properties().await.expect_err("not there");
    assert_eq!(error.url(), Some(PLACE));
    assert!(!format!("{error} {error:?}").contains("SECRET"));
}

fn unauthenticated(date: &str) -> Step {
    let detail = "<AuthenticationErrorDetail>The MAC signature found in the HTTP request \
                  'c2VjcmV0=' is not the same as any computed signature.\
                  </AuthenticationErrorDetail>";
    let body = format!(
        "<Error><Code>AuthenticationFailed</Code><Message>Failed.</Message>{detail}</Error>"
    );
    let headers = vec![("Date".to_owned(), date.to_owned())];
    Step::Answer { status: 403, headers, body }
}

#[tokio::test(start_paused = true)]
async fn a_wrong_clock_a_wrong_key_and_a_sas_that_expired_are_told_apart() {
    // The client's clock shows midnight.
    let midnight = "Thu, 01 Jan 2026 00:00:00 GMT";
    let by_key = async |date| {
        let script = Script::new([unauthenticated(date)]);
        blob(&script).download().await.expect_err("refused").to_string()
    };
    let skewed = by_key("Thu, 01 Jan 2026 02:30:00 GMT").await;
    assert!(skewed.contains("clock is 2 hours 30 minutes behind the service's"), "{skewed}");
    let wrong = by_key(midnight).await;
    assert!(wrong.contains("check that the key is one of this account's"), "{wrong}");
    assert!(wrong.contains("'REDACTED' is not the same as any computed signature."), "{wrong}");

    let by_sas = async |expiry: &str| {
        let script = Script::new([unauthenticated(midnight)]);
        let url = format!("{PLACE}?sv=2026-04-06&se={expiry}&sr=b&sp=r&sig=SECRET");
        let url = url.parse().expect("a URL");
        let blob = BlobClient::builder(url).options(script.options()).build();
        blob.expect("a client").download().await.expect_err("refused").to_string()
    };
    let expired = by_sas("2025-12-31T23%3A00%3A00Z").await;
    assert!(expired.contains("the SAS expired at 2025-12-31T23:00:00Z, 1 hour ago"), "{expired}");
    let wrong = by_sas("2026-02-01").await;
    assert!(wrong.contains("the SAS is valid at this time, so its signature"), "{wrong}");
}

#[tokio::test(start_paused = true)]
async fn a_source_is_named_beside_the_destination() {
    let script = Script::new([refusal(404, "BlobNotFound")]);
    let source = "https://other.blob.core.windows.net/c/a?sp=r&sig=SECRET";
    let source: url::Url = source.parse().expect("a URL");
    let error = blob(&script).start_copy_from_uri(&source).await.expect_err("not there");
    let text = error.to_string();
    assert!(text.starts_with(&format!("Copy Blob {PLACE}: 404 BlobNotFound")), "{text}");
    assert!(text.contains("the source is https://other.blob.core.windows.net/c/a:"), "{text}");
    assert!(text.contains("there is no such source") && !text.contains("SECRET"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn what_the_simulator_refuses_comes_with_the_advice_that_fits() {
    let service = Simulator::builder().build().service_client().expect("a client");
    let vhds = service.container_client("vhds");
    vhds.create().await.expect("created");
    let text = |error: Option<Error>| error.expect("refused").to_string();

    let missing = vhds.blob_client("missing");
    let error = text(vhds.blob_client("copy").start_copy_from_uri(&missing).await.err());
    assert!(error.contains("there is no such source"), "{error}");

    let disk = vhds.page_blob_client("disk0.vhd");
    disk.create(512).await.expect("created");
    let snapshot = disk.create_snapshot().await.expect("taken").snapshot;
    let plain = vhds.page_blob_client("plain.vhd");
    plain.create(512).await.expect("created");
    let error = text(plain.start_copy_incremental(&disk, &snapshot).await.err());
    assert!(error.contains("was not made by incremental copies of this source"), "{error}");

    let backup = vhds.page_blob_client("backup.vhd");
    let mut copy = backup.start_copy_incremental(&disk, &snapshot).await.expect("started");
    let done = copy.wait().await.expect("copied");
    assert_eq!(done.source_snapshot, Some(snapshot.clone()));
    let error = text(vhds.blob_client("copy").start_copy_from_uri(&backup).await.err());
    assert!(error.contains("copy one of its snapshots"), "{error}");

    let notes = vhds.block_blob_client("notes.txt");
    notes.upload("some notes").await.expect("uploaded");
    let error = text(vhds.blob_client("disk0.vhd").start_copy_from_uri(&notes).await.err());
    assert!(error.contains("has another blob type, which a copy cannot change"), "{error}");
    let error = text(notes.page_blob_client().get_page_ranges().collect_all().await.err());
    assert!(error.contains("only page blobs have page ranges"), "{error}");

    let newer = disk.create_snapshot().await.expect("taken").snapshot;
    disk.with_snapshot(&snapshot).delete().await.expect("deleted");
    let error = text(backup.start_copy_incremental(&disk, &newer).await.err());
    assert!(error.contains("keep each snapshot until the next is copied"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_pending_copy_is_found_without_its_id() {
    let source = format!("x-ms-copy-source: {PLACE}?snapshot={SNAPSHOT}");
    let script =
        Script::new([properties("ours", "pending", &source), properties("ours", "success", "")]);
    let found = blob(&script).resume_pending_copy().await.expect("answered");
    let mut copy = found.expect("it is pending");
    assert_eq!((copy.id().as_str(), copy.has_completed()), ("ours", false));
    let done = copy.wait().timeout(Duration::from_secs(60)).await.expect("success");
    assert_eq!(done.copy_id, "ours");
    assert_eq!(script.methods(), ["HEAD", "HEAD"]);

    for none in [properties("ours", "success", ""), answer(200, "Content-Length: 0")] {
        let found = blob(&Script::new([none])).resume_pending_copy().await.expect("answered");
        assert!(found.is_none(), "{found:?}");
    }
    let missing = blob(&Script::new([refusal(404, "BlobNotFound")])).resume_pending_copy().await;
    assert_eq!(missing.expect_err("not there").url(), Some(PLACE));
}

#[tokio::test(start_paused = true)]
async fn a_token_remembers_which_snapshot_is_copied() {
    let script = Script::new([started("ours", "pending"), properties("ours", "success", "")]);
    let service = script.service();
    let vhds = service.container_client("vhds");
    let snapshot: SnapshotId = SNAPSHOT.parse().expect("an id");
    let source = vhds.blob_client("disk0.vhd").with_snapshot(&snapshot);
    let copy = vhds.blob_client("copy.vhd").start_copy_from_uri(&source).await.expect("started");
    let stored = serde_json::to_string(&copy.token()).expect("text");
    let token: CopyToken = serde_json::from_str(&stored).expect("a token");
    assert_eq!(token.source_snapshot, Some(snapshot.clone()));

    let mut again = service.resume(&token).expect("of this account");
    let done = again.wait().await.expect("success");
    assert_eq!(done.source_snapshot, Some(snapshot));
}
