//! Copy Blob before version 2012-02-12: synchronous, from a path in the same account.

use blobcopy::{
    BlobServiceClient, ClientBuilder, ClientOptions, Clock, CopyId, CopySource, Credential,
    ErrorCode, LeaseId, SnapshotId,
};
use blobcopy_simulator::{DEFAULT_ACCOUNT, DEFAULT_KEY, Simulator};
use time::macros::datetime;
use url::Url;

use crate::support::script::{Script, Step, answer, sent};

const OLD: [&str; 2] = ["2009-09-19", "2011-08-18"];

fn simulator() -> Simulator {
    Simulator::builder().clock(Clock::starting_at(datetime!(2026-01-01 00:00 UTC))).build()
}

fn service(sim: &Simulator, version: &str) -> BlobServiceClient {
    let options = ClientOptions::new()
        .transport(sim.transport())
        .clock(sim.clock().clone())
        .service_version(version.parse().expect("a version"));
    BlobServiceClient::builder(sim.endpoint(DEFAULT_ACCOUNT))
        .credential(Credential::shared_key(DEFAULT_ACCOUNT, DEFAULT_KEY).expect("a key"))
        .options(options)
        .build()
        .expect("a client")
}

/// A client of the account `acct` that gets the answer `step` to every request.
fn scripted(step: Step, version: &str) -> (Script, BlobServiceClient) {
    let script = Script::new([step]);
    let service =
        script.service_with(|options| options.service_version(version.parse().expect("a version")));
    (script, service)
}

fn created() -> Step {
    answer(201, "ETag: 0x8CEB669D794AFE2\nLast-Modified: Thu, 01 Jan 2026 00:00:00 GMT")
}

async fn content(service: &BlobServiceClient, container: &str, name: &str) -> bytes::Bytes {
    let blob = service.container_client(container).blob_client(name);
    blob.download().await.expect("opened").bytes().await.expect("read")
}

#[tokio::test(start_paused = true)]
async fn a_copy_is_over_with_the_answer_and_keeps_no_trace() {
    for version in OLD {
        let sim = simulator();
        let service = service(&sim, version);
        let vhds = service.container_client("vhds");
        vhds.create().await.expect("created");
        vhds.block_blob_client("a b/ü.txt").upload("some notes").await.expect("uploaded");

        let copy = vhds.blob_client("copy.txt");
        let copied = copy.copy_from_uri(&vhds.blob_client("a b/ü.txt")).metadata([("k", "v")]);
        let copied = copied.await.expect("copied");
        assert!(copied.copy_id.is_none() && copied.etag.is_some(), "{copied:?}");
        assert_eq!(content(&service, "vhds", "copy.txt").await, "some notes");

        let properties = copy.get_properties().await.expect("there");
        assert_eq!((properties.etag, properties.copy), (copied.etag, None));
        assert_eq!(properties.metadata.get("k"), Some("v"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_copy_in_the_background_is_refused_and_told_of_the_other() {
    let (script, service) = scripted(created(), OLD[1]);
    let copy = service.container_client("backups").blob_client("copy.txt");
    let source = service.container_client("vhds").blob_client("a");
    let error = copy.start_copy_from_uri(&source).await.expect_err("refused").to_string();
    assert!(error.starts_with("service version: ") && error.contains("copy_from_uri"), "{error}");
    assert!(error.contains("2012-02-12 or later"), "{error}");
    assert_eq!(script.seen().len(), 0);

    // Between the two, there is no synchronous copy.
    let (script, service) = scripted(created(), "2017-11-09");
    let copy = service.container_client("backups").blob_client("copy.txt");
    let error = copy.copy_from_uri(&source).await.expect_err("refused").to_string();
    assert!(error.starts_with("service version: ") && error.contains("2018-03-28"), "{error}");
    assert_eq!(script.seen().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn the_answer_of_a_later_version_is_not_taken_for_the_end() {
    let (_, service) = scripted(answer(202, "ETag: 0x8CEB669D794AFE2"), OLD[1]);
    let vhds = service.container_client("vhds");
    let copied = vhds.blob_client("copy.txt").copy_from_uri(&vhds.blob_client("a")).await;
    let error = copied.expect_err("202 is no end").to_string();
    assert!(error.starts_with("Copy Blob ") && error.contains("202"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_and_the_root_container_are_named_by_their_paths() {
    let sim = simulator();
    let service = service(&sim, OLD[1]);
    let root = service.container_client("$root");
    root.create().await.expect("created");
    let notes = root.block_blob_client("notes.txt");
    notes.upload("before").await.expect("uploaded");
    let snapshot = notes.create_snapshot().await.expect("taken").snapshot;
    notes.upload("after").await.expect("uploaded");

    for (source, expected) in [
        (CopySource::from(&notes), "after"),
        (CopySource::from(&notes.with_snapshot(&snapshot)), "before"),
        (CopySource::from(notes.url().expect("legal")), "after"),
        (CopySource::from(notes.with_snapshot(&snapshot).url().expect("legal")), "before"),
    ] {
        root.blob_client("copy.txt").copy_from_uri(source).await.expect("copied");
        assert_eq!(content(&service, "$root", "copy.txt").await, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn the_source_and_its_lease_travel_as_they_did_then() {
    let (script, service) = scripted(created(), "2009-09-19");
    let copy = service.container_client("backups").blob_client("copy.txt");
    let vhds = service.container_client("vhds");
    let root = service.container_client("$root");
    let snapshot: SnapshotId = "2011-03-09T01:42:34.9360000Z".parse().expect("a snapshot");
    let lease: LeaseId = "11111111-2222-3333-4444-555555555555".parse().expect("a GUID");
    let url = |text: &str| -> Url { text.parse().expect("a URL") };
    for (source, expected) in [
        (CopySource::from(&vhds.blob_client("a b/ü")), "/acct/vhds/a%20b/%C3%BC"),
        (
            CopySource::from(&vhds.blob_client("a").with_snapshot(&snapshot)),
            "/acct/vhds/a?snapshot=2011-03-09T01:42:34.9360000Z",
        ),
        (CopySource::from(&root.blob_client("a")), "/acct/a"),
        (url("http://acct.blob.core.windows.net/vhds/a%20b").into(), "/acct/vhds/a%20b"),
        (url("https://acct.blob.core.windows.net/a").into(), "/acct/a"),
    ] {
        copy.copy_from_uri(source).source_lease_id(lease.clone()).await.expect("copied");
        let request = script.seen().pop().expect("sent");
        assert_eq!(sent(request.headers(), "x-ms-copy-source"), Some(expected));
        assert_eq!(sent(request.headers(), "x-ms-source-lease-id"), Some(lease.as_str()));
        assert_eq!(sent(request.headers(), "x-ms-version"), Some("2009-09-19"));
    }
}

#[tokio::test(start_paused = true)]
async fn behind_a_custom_domain_the_key_names_the_account() {
    let script = Script::new([created()]);
    let options = ClientOptions::new()
        .transport(script.clone())
        .clock(Clock::starting_at(datetime!(2026-01-01 00:00 UTC)))
        .service_version(OLD[1].parse().expect("a version"));
    let service = BlobServiceClient::builder("https://files.example.com".parse().expect("a URL"))
        .credential(Credential::shared_key("acct", "c2VjcmV0").expect("a key"))
        .options(options)
        .build()
        .expect("a client");
    let backups = service.container_client("backups");
    let own = "https://acct.blob.core.windows.net/vhds/a".parse::<Url>().expect("a URL");
    for (source, expected) in [
        (CopySource::from(&backups.blob_client("a")), "/acct/backups/a"),
        (CopySource::from(own), "/acct/vhds/a"),
    ] {
        backups.blob_client("copy.txt").copy_from_uri(source).await.expect("copied");
        let request = script.seen().pop().expect("sent");
        assert_eq!(sent(request.headers(), "x-ms-copy-source"), Some(expected));
    }
}

/// Fails unless a start is refused before it is sent, because of `what` and with a reason that
/// contains `why`.
async fn refused(version: &str, source: impl Into<CopySource>, what: &str, why: &str) {
    let (script, service) = scripted(created(), version);
    let copy = service.container_client("backups").blob_client("copy.txt");
    let error = copy.copy_from_uri(source).await.expect_err("refused").to_string();
    assert!(error.starts_with(what) && error.contains(why), "{error}");
    assert!(!error.contains("SECRET"), "{error}");
    assert_eq!(script.seen().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_path_names_no_other_account_and_carries_no_sas() {
    let own = "https://acct.blob.core.windows.net/vhds/a";
    for (source, why) in [
        ("https://other.blob.core.windows.net/vhds/a".to_owned(), "in the destination's account"),
        ("https://example.com/a".to_owned(), "in the destination's account"),
        (
            "https://acct.blob.core.chinacloudapi.cn/vhds/a".to_owned(),
            "in the destination's account",
        ),
        (format!("{own}?sp=r&sig=SECRET"), "no query other than a snapshot"),
        (format!("{own}?versionid=2026-01-01T00:00:00.0000000Z"), "no query other than a snapshot"),
    ] {
        refused(OLD[1], source.parse::<Url>().expect("a URL"), "source: ", why).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_version_does_not_know_is_refused_before_sending() {
    let (script, service) = scripted(created(), "2026-04-06");
    let copy = service.container_client("backups").blob_client("copy.txt");
    let source = service.container_client("vhds").blob_client("a");
    let lease: LeaseId = "11111111-2222-3333-4444-555555555555".parse().expect("a GUID");
    let error = copy.copy_from_uri(&source).source_lease_id(lease).await.expect_err("new");
    let told = "source lease id: \"11111111-2222-3333-4444-555555555555\" works with service \
                versions before 2012-02-12 only";
    assert!(error.to_string().starts_with(told), "{error}");
    assert_eq!(script.seen().len(), 0);

    let (script, service) = scripted(created(), OLD[0]);
    let copy = service.container_client("backups").blob_client("copy.txt");
    let page = service.container_client("backups").page_blob_client("disk0.vhd");
    let source = service.container_client("vhds").blob_client("a");
    let id: CopyId = "1f812371-a41d-49e6-b123-f4b542e851c5".parse().expect("an id");
    let snapshot: SnapshotId = "2011-03-09T01:42:34.9360000Z".parse().expect("a snapshot");
    for (error, since) in [
        (copy.copy_from_uri(&source).tags([("k", "v")]).await.err(), "2019-12-12 or later"),
        (page.start_copy_incremental(&source, &snapshot).await.err(), "2016-05-31 or later"),
        (copy.abort_copy(&id).await.err(), "2012-02-12 or later"),
        (copy.abort_pending_copy().await.err(), "2012-02-12 or later"),
        (copy.resume_pending_copy().await.err(), "2012-02-12 or later"),
        (copy.resume_copy(id).poll().await.err(), "2012-02-12 or later"),
    ] {
        let error = error.expect("refused").to_string();
        assert!(error.starts_with("service version: ") && error.contains(since), "{error}");
    }
    assert_eq!(script.seen().len(), 0);

    let older = |version: &str| -> ClientBuilder<BlobServiceClient> {
        let options = ClientOptions::new().service_version(version.parse().expect("a date"));
        let endpoint = "https://acct.blob.core.windows.net".parse().expect("a URL");
        BlobServiceClient::builder(endpoint).options(options)
    };
    let error = older("2008-10-27").build().expect_err("signs otherwise").to_string();
    assert!(error.contains("2009-09-19 or later"), "{error}");
    older("2009-09-19").build().expect("the oldest");
}

#[tokio::test(start_paused = true)]
async fn what_the_old_service_refuses_is_told() {
    let sim = simulator();
    let service = service(&sim, OLD[1]);
    let vhds = service.container_client("vhds");
    vhds.create().await.expect("created");
    let missing = vhds.blob_client("missing");
    let error = vhds.blob_client("copy").copy_from_uri(&missing).await.expect_err("gone");
    assert_eq!(error.status().map(|status| status.as_u16()), Some(404));
    assert_eq!(error.code(), Some(&ErrorCode::BlobNotFound));
}

#[tokio::test(start_paused = true)]
async fn a_version_that_the_service_does_not_know_is_told_with_what_to_do() {
    let service = service(&simulator(), "2031-01-01");
    let blob = service.container_client("vhds").blob_client("notes.txt");
    let by_get = blob.download().await.expect_err("not known");
    let by_head = blob.get_properties().await.expect_err("not known");
    for error in [by_get, by_head] {
        assert_eq!(error.status().map(|status| status.as_u16()), Some(400), "{error}");
        let error = error.to_string();
        for advice in ["ClientOptions::service_version", "--skipApiVersionCheck"] {
            assert!(error.contains(advice), "{error}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn another_header_that_is_refused_is_not_blamed_on_the_version() {
    let body = "<Error><Code>InvalidHeaderValue</Code><Message>Wrong.</Message>\
                <HeaderName>x-ms-access-tier</HeaderName><HeaderValue>P20</HeaderValue></Error>";
    let step = Step::Answer { status: 400, headers: vec![], body: body.to_owned() };
    let (_, service) = scripted(step, "2026-10-06");
    let error = service.container_client("vhds").blob_client("notes.txt").download().await;
    let error = error.expect_err("refused").to_string();
    assert!(error.contains("InvalidHeaderValue") && !error.contains("version"), "{error}");
}
