//! Bad input gives a clear error before any request; the error names the argument, its value
//! (secrets redacted) and the rule.

use std::{future::IntoFuture, time::Duration};

use blobcopy::{
    AccessToken, BlobClient, BlobContainerClient, BlobServiceClient, BlockId, ClientOptions,
    Conditions, CopyProgress, Credential, CredentialError, CustomerProvidedKey, DeleteSnapshots,
    ETag, Error, LeaseId, Metadata, RetryOptions, SequenceNumberAction, ServiceVersion, SnapshotId,
    Tags, TokenProvider, transport::BoxFuture,
};
use time::macros::datetime;
use url::Url;

use crate::support::script::{Script, answer};

const SECRET: &str = "SECRET";

/// Fails unless `error` contains `what`, `value` and `rule`, and no secret.
#[track_caller]
fn told(error: Error, what: &str, value: &str, rule: &str) {
    let Error::InvalidInput { what: named, why, .. } = &error else { panic!("{error:?}") };
    assert_eq!(*named, what, "{error}");
    assert!(why.contains(value), "{error} shows no {value}");
    assert!(why.contains(rule), "{error} does not say {rule}");
    let shown = format!("{error} {error:?}");
    assert!(!shown.contains(SECRET), "{shown}");
    assert!(!error.is_retryable() && !error.may_have_been_applied());
}

/// A client whose every request would be answered; the test checks that none was sent.
fn unanswered() -> (Script, BlobServiceClient) {
    let script = Script::new([answer(500, "")]);
    let service = script.service();
    (script, service)
}

async fn refused<T>(call: impl IntoFuture<Output = Result<T, Error>>) -> Error {
    match call.await {
        Ok(_) => panic!("was not refused"),
        Err(error) => error,
    }
}

fn url(text: &str) -> Url {
    text.parse().expect("a URL")
}

fn lease() -> LeaseId {
    "11111111-2222-3333-4444-555555555555".parse().expect("a GUID")
}

fn snapshot() -> SnapshotId {
    "2026-01-01T00:00:00.1234567Z".parse().expect("a snapshot")
}

#[tokio::test]
async fn sources() {
    let (script, service) = unanswered();
    let page = service.container_client("vhds").page_blob_client("disk0.vhd");
    let long = format!("https://a.blob.core.windows.net/c/{}?sig={SECRET}", "x".repeat(2048));
    for (source, value, rule) in [
        (long.as_str(), "https://a.blob.core.windows.net/c/xxx", "at most 2 KiB"),
        ("ftp://example.com/disk", "ftp://example.com/disk", "must be an http or https URL"),
        ("file:///disk", "file:///disk", "must be an http or https URL"),
        (
            "https://me:SECRET@example.com/disk",
            "not shown",
            "must not hold a user name or password",
        ),
        ("https://example.com/disk#1", "https://example.com/disk#1", "must not hold a fragment"),
    ] {
        told(refused(page.start_copy_from_uri(url(source))).await, "source", value, rule);
        let start = page.start_copy_incremental(url(source), snapshot());
        told(refused(start).await, "source", value, rule);
    }
    assert!(script.seen().is_empty());
}

#[tokio::test]
async fn destinations_and_versions() {
    let (script, service) = unanswered();
    let disk = service.container_client("vhds").page_blob_client("disk0.vhd");
    let fixed = disk.with_snapshot(snapshot());
    let error = refused(fixed.start_copy_from_uri(&*disk)).await;
    told(error, "destination", "disk0.vhd?snapshot=", "cannot be the destination");
    let error = refused(fixed.start_copy_incremental(&disk, snapshot())).await;
    told(error, "destination", "disk0.vhd?snapshot=", "cannot be the destination");

    for (version, since) in [("2015-12-11", "2016-05-31"), ("2011-08-18", "2016-05-31")] {
        let version: ServiceVersion = version.parse().expect("a version");
        let old = script.service_with(|options| options.service_version(version));
        let disk = old.container_client("vhds").page_blob_client("disk0.vhd");
        let error = refused(disk.start_copy_incremental(&disk, snapshot())).await;
        told(error, "service version", version.as_str(), since);
    }
    let old =
        script.service_with(|options| options.service_version("2011-08-18".parse().expect("v")));
    let blob = old.container_client("vhds").blob_client("notes.txt");
    let error = refused(blob.abort_pending_copy()).await;
    told(error, "service version", "2011-08-18", "2012-02-12 or later");
    let error =
        refused(blob.copy_from_uri(&blob).source_lease_id(lease()).tags([("k", "v")])).await;
    told(error, "service version", "2011-08-18", "2019-12-12 or later for tags");
    let error = refused(disk.copy_from_uri(&*disk).source_lease_id(lease())).await;
    told(error, "source lease id", lease().as_str(), "before 2012-02-12 only");
    assert!(script.seen().is_empty());
}

#[test]
fn ids() {
    for text in ["", "yesterday", "2026-01-01", "2026-01-01T00:00:00", "2026-02-30T00:00:00Z"] {
        let error = text.parse::<SnapshotId>().expect_err(text);
        told(error, "snapshot", text, "must be a UTC timestamp");
    }
    told("x".parse::<LeaseId>().expect_err("x"), "lease id", "x", "must be a GUID");
    told("".parse::<blobcopy::CopyId>().expect_err("empty"), "copy id", "", "visible ASCII");
    told("a\"b".parse::<ETag>().expect_err("quote"), "etag", "a\\\"b", "without inner quotes");
    let error = "half".parse::<CopyProgress>().expect_err("half");
    told(error, "copy progress", "half", "<bytes copied>/<bytes in total>");
    let error = "latest".parse::<ServiceVersion>().expect_err("latest");
    told(error, "service version", "latest", "YYYY-MM-DD");
}

#[tokio::test]
async fn names() {
    let (script, service) = unanswered();
    for name in ["", "ab", "Vhds", "a--b", "-abc", "a_b", "a/b", "$Other", &"a".repeat(64)] {
        let container = service.container_client(name);
        let blob = container.page_blob_client("disk0.vhd");
        for error in [
            refused(container.create()).await,
            refused(container.exists()).await,
            refused(blob.get_properties()).await,
            refused(blob.upload_pages(0, vec![0; 512])).await,
            refused(blob.start_copy_incremental(&blob, snapshot())).await,
            container.url().expect_err(name),
        ] {
            told(error, "container name", name, "3 to 63 lower-case letters");
        }
    }
    let long = "x".repeat(1025);
    for (name, rule) in [
        ("", "1 to 1024 characters"),
        (long.as_str(), "1 to 1024 characters"),
        ("a/../b", "a path segment that is . or .."),
        (".", "a path segment that is . or .."),
    ] {
        let blob = service.container_client("vhds").blob_client(name);
        let value = &name[..name.len().min(100)];
        told(refused(blob.get_properties()).await, "blob name", value, rule);
        told(refused(blob.download()).await, "blob name", value, rule);
        told(refused(blob.delete()).await, "blob name", value, rule);
    }
    let error = refused(service.container_client("$root").blob_client("a/b").exists()).await;
    told(error, "blob name", "a/b", "must not hold a / in the root container");
    assert!(script.seen().is_empty());
}

#[tokio::test]
async fn metadata_and_tags() {
    let (script, service) = unanswered();
    let blob = service.container_client("vhds").block_blob_client("notes.txt");
    let long = "v".repeat(8 * 1024);
    for (name, value, what, shown, rule) in [
        ("1a", "v", "metadata name", "1a", "must be an identifier"),
        ("a-b", "v", "metadata name", "a-b", "must be an identifier"),
        ("", "v", "metadata name", "", "must be an identifier"),
        ("a", "tab\t", "metadata value", "tab", "visible ASCII"),
        ("a", "line\nbreak", "metadata value", "line", "visible ASCII"),
        ("a", "größe", "metadata value", "größe", "visible ASCII"),
        ("a", long.as_str(), "metadata", "1 pairs of 8193 bytes", "at most 8 KiB"),
    ] {
        let metadata = || Metadata::from([(name, value)]);
        for error in [
            refused(blob.upload("x").metadata(metadata())).await,
            refused(blob.create_snapshot().metadata(metadata())).await,
            refused(blob.start_copy_from_uri(&blob).metadata(metadata())).await,
            refused(service.container_client("vhds").create().metadata(metadata())).await,
        ] {
            told(error, what, shown, rule);
        }
    }
    let tags: Tags = (0..11).map(|number| (number.to_string(), "")).collect();
    told(refused(blob.upload("x").tags(tags)).await, "tags", "11", "must be at most 10");
    assert!(script.seen().is_empty());
}

#[tokio::test]
async fn conditions() {
    let (script, service) = unanswered();
    let disk = service.container_client("vhds").page_blob_client("disk0.vhd");
    let two =
        || Conditions::new().if_match(ETag::ANY).if_modified_since(datetime!(2026-01-01 00:00 UTC));
    let rule = "more than the one condition";
    for error in [
        refused(disk.start_copy_incremental(&disk, snapshot()).conditions(two())).await,
        refused(disk.start_copy_from_uri(&disk).conditions(two())).await,
        refused(disk.create(512).conditions(two())).await,
        refused(disk.upload_pages(0, vec![0; 512]).conditions(two())).await,
        refused(disk.clear_pages(0..512).conditions(two())).await,
        refused(disk.create_snapshot().conditions(two())).await,
        refused(disk.delete().conditions(two())).await,
    ] {
        told(error, "conditions", "if_match + if_modified_since", rule);
    }
    let several = disk.upload_pages(0, vec![0; (4 << 20) + 512]);
    let error = refused(several.conditions(Conditions::new().if_match(ETag::ANY))).await;
    told(error, "page content", "4194816 bytes", "at most 4 MiB with conditions");

    let unsent = Conditions::new().if_tags("a\nb");
    told(
        refused(disk.get_properties().conditions(unsent)).await,
        "conditions",
        "a",
        "visible ASCII",
    );
    let old = Conditions::new().if_modified_since(datetime!(1960-01-01 00:00 UTC));
    told(
        refused(disk.get_properties().conditions(old)).await,
        "conditions",
        "1960",
        "1970 to 9999",
    );
    let beyond = Conditions::new().if_unmodified_since(datetime!(9999-12-31 23:59 -1));
    let error = refused(disk.get_properties().conditions(beyond.clone())).await;
    told(error, "conditions", "9999", "1970 to 9999");
    let source = disk.start_copy_from_uri(&disk).source_conditions(beyond);
    told(refused(source).await, "source conditions", "9999", "1970 to 9999");
    assert!(script.seen().is_empty());
}

#[tokio::test]
async fn pages_and_ranges() {
    let (script, service) = unanswered();
    let disk = service.container_client("vhds").page_blob_client("disk0.vhd");
    let aligned = "must be a multiple of 512 bytes";
    told(refused(disk.upload_pages(1, vec![0; 512])).await, "page offset", "1", aligned);
    told(refused(disk.upload_pages(0, vec![0; 511])).await, "page range length", "511", aligned);
    told(refused(disk.upload_pages(0, vec![])).await, "page range length", "0", "at least 512");
    told(refused(disk.clear_pages(100..612)).await, "page offset", "100", aligned);
    told(refused(disk.clear_pages(0..0)).await, "page range length", "0", "at least 512");
    told(
        refused(disk.get_page_ranges().range(3..515).collect_all()).await,
        "page offset",
        "3",
        aligned,
    );
    told(
        refused(disk.get_page_ranges().page_size(0).collect_all()).await,
        "page size",
        "0",
        "must be 1 to 10000",
    );
    told(refused(disk.create(1000)).await, "page blob size", "1000", "a multiple of 512 bytes");
    told(refused(disk.create((8 << 40) + 512)).await, "page blob size", "8796", "at most 8 TiB");
    let error = refused(disk.create(512).sequence_number(u64::MAX)).await;
    told(error, "sequence number", "18446744073709551615", "at most 2^63 - 1");
    let error = refused(disk.upload_pages(0, vec![0; 512]).concurrency(0)).await;
    told(error, "concurrency", "0", "must be 1 to 64");
    told(refused(disk.download().range(5..5)).await, "range", "5..5", "must hold a byte");
    told(refused(disk.download().range(..0)).await, "range", "0..0", "must hold a byte");
    let (last, within) = (u64::MAX - 511, "must end within 8 TiB");
    told(
        refused(disk.upload_pages(last - 512, vec![0; 512])).await,
        "page range",
        "18446744073709550592..18446744073709551104",
        within,
    );
    told(refused(disk.clear_pages(512..512 + (8 << 40))).await, "page range", "8796", within);
    let source = || url("https://example.com/disk");
    for (range, offset) in [(0..last, 0), (0..512, last - 512), (0..(8 << 40) + 512, 0)] {
        let pages = disk.upload_pages_from_uri(source(), range, offset);
        told(refused(pages).await, "page range", "..", within);
    }
    let fixed = disk.with_snapshot(snapshot());
    let error = refused(fixed.delete().snapshots(DeleteSnapshots::Include)).await;
    told(error, "snapshots", "Include", "must not be set to delete a single snapshot");
    assert!(script.seen().is_empty());
}

#[tokio::test]
async fn intervals_and_timeouts() {
    let (script, service) = unanswered();
    let blob = service.container_client("vhds").blob_client("disk0.vhd");
    let mut copy = blob.resume_copy("ours".parse::<blobcopy::CopyId>().expect("an id"));
    let (zero, absurd) = (Duration::ZERO, Duration::from_secs(1 << 40));
    for interval in [zero, absurd] {
        let value = format!("{interval:?}");
        let error = refused(copy.wait().interval(interval)).await;
        told(error, "wait interval", &value, "must be 1 ms to 24 hours");
        let error = refused(copy.wait().timeout(interval)).await;
        told(error, "wait timeout", &value, "must be 1 ms to 365 days");
        let error = refused(blob.get_properties().server_timeout(interval)).await;
        told(error, "server timeout", &value, "must be 1 second to 24 hours");
        let options = ClientOptions::new().attempt_timeout(interval);
        let error = BlobClient::builder(blob.url().expect("legal")).options(options).build();
        told(error.expect_err("absurd"), "attempt timeout", &value, "must be 1 ms to 24 hours");
        let options = ClientOptions::new().retry(RetryOptions::new().max_delay(interval));
        let error = BlobClient::builder(blob.url().expect("legal")).options(options).build();
        told(error.expect_err("absurd"), "max delay", &value, "must be the base delay to an hour");
    }
    for id in ["", "a b", "ä"] {
        let error = refused(blob.get_properties().client_request_id(id)).await;
        told(error, "client request id", id, "1 to 1024 visible ASCII");
    }
    assert!(script.seen().is_empty());
}

fn anonymous() -> Credential {
    Credential::anonymous()
}

#[derive(Debug)]
struct Provider;

impl TokenProvider for Provider {
    fn token<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<AccessToken, CredentialError>> {
        Box::pin(async { Ok(AccessToken::new(SECRET, datetime!(2030-01-01 00:00 UTC))) })
    }
}

#[test]
fn credentials_and_endpoints() {
    let key = |account: &str| Credential::shared_key(account, "U0VDUkVU").expect("a key");
    let error = Credential::shared_key("acct", "not base64: SECRET").expect_err("no key");
    told(error, "account key", "not shown", "must be base64");
    let error = Credential::shared_key("", "U0VDUkVU").expect_err("no account");
    told(error, "account name", "", "must be 1 to 63");
    let error = Credential::sas("sv=2026-04-06&sp=r").expect_err("no signature");
    told(error, "SAS token", "not shown", "must contain the signature");

    let service = |endpoint: &str, credential| BlobServiceClient::new(url(endpoint), credential);
    for endpoint in ["http://acct.blob.core.windows.net", "http://127.0.0.1:10000/acct"] {
        let error = service(endpoint, Credential::token(Provider)).expect_err("in the open");
        told(error, "endpoint", endpoint, "must be https");
    }
    let error = service("https://other.blob.core.windows.net", key("acct")).expect_err("another");
    told(error, "endpoint", "other.blob", "another account than the given one, \"acct\"");
    let error = service("ftp://acct.blob.core.windows.net", key("acct")).expect_err("ftp");
    told(error, "endpoint", "ftp://", "must be an http or https URL");
    let error = service("https://me:SECRET@acct.blob.core.windows.net", key("acct"));
    told(error.expect_err("a password"), "endpoint", "not shown", "user name or password");

    let both = "https://acct.blob.core.windows.net/vhds?sp=r&sig=SECRET";
    let error = BlobContainerClient::new(url(both), key("acct")).expect_err("two credentials");
    told(error, "URL", "not shown", "holds a SAS although there is another credential");
    let no_blob = BlobClient::new(url("https://acct.blob.core.windows.net/"), anonymous());
    told(no_blob.expect_err("no blob"), "blob name", "", "1 to 1024 characters");
}

#[test]
fn connection_strings() {
    let missing = [
        ("", "connection string"),
        ("AccountName=acct", "AccountName"),
        ("AccountKey=U0VDUkVU", "connection string"),
        ("BlobSecondaryEndpoint=https://a.example.com", "BlobSecondaryEndpoint"),
        ("DefaultEndpointsProtocol=https", "connection string"),
    ];
    let repeated = [("AccountName=a;accountname=b;AccountKey=U0VDUkVU", "connection string")];
    let contradictory = [
        (
            "AccountName=a;AccountKey=U0VDUkVU;SharedAccessSignature=sig=SECRET",
            "SharedAccessSignature",
        ),
        ("UseDevelopmentStorage=true;AccountName=a", "UseDevelopmentStorage"),
        ("UseDevelopmentStorage=false", "UseDevelopmentStorage"),
    ];
    let malformed = [
        ("AccountName", "connection string"),
        ("AccountName=acct;AccountKey=SECRET!", "account key"),
        (
            "AccountName=acct;AccountKey=U0VDUkVU;DefaultEndpointsProtocol=ftp",
            "DefaultEndpointsProtocol",
        ),
        ("BlobEndpoint=not a url", "BlobEndpoint"),
    ];
    for (text, what) in missing.into_iter().chain(repeated).chain(contradictory).chain(malformed) {
        let error = BlobServiceClient::from_connection_string(text).expect_err(text);
        let Error::InvalidInput { what: named, why, .. } = &error else {
            panic!("{text}: {error:?}")
        };
        assert!(named.contains(what) || why.contains(what), "{text}: {error}");
        assert!(!format!("{error} {error:?}").contains(SECRET), "{error}");
    }
}

#[tokio::test]
async fn copies_that_are_over_with_the_answer() {
    let (script, service) = unanswered();
    let vhds = service.container_client("vhds");
    let (disk, notes) = (vhds.page_blob_client("disk0.vhd"), vhds.block_blob_client("notes.txt"));
    let source = || url("https://example.com/disk");
    let id = || BlockId::numbered(1);
    let token = refused(notes.copy_from_uri(source()).source_authorization("SECRET \n")).await;
    told(token, "source authorization", "not shown", "without the word Bearer");
    let range = notes.stage_block_from_uri(id(), source()).source_range(9..9);
    told(refused(range).await, "source range", "9..9", "must hold a byte");
    let pages = disk.upload_pages_from_uri(source(), 0..512, 7);
    told(refused(pages).await, "page offset", "7", "a multiple of 512 bytes");
    let pages = disk.upload_pages_from_uri(source(), 0..511, 0);
    told(refused(pages).await, "page range length", "511", "a multiple of 512 bytes");
    let ids = ["a", "bc"].map(|id| BlockId::new(id).expect("legal"));
    told(refused(notes.commit_block_list(&ids)).await, "block id", "YmM=", "as long as the other");
    told(refused(notes.stage_block(id(), "")).await, "block length", "0", "1 byte to 4000 MiB");
    let both = notes.upload("x").customer_key(CustomerProvidedKey::new([1; 32]));
    let both = refused(both.encryption_scope("scope1")).await;
    told(both, "encryption scope", "scope1", "must not be combined with a customer-provided key");
    let long = url(&format!("https://example.com/{}?sig={SECRET}", "x".repeat(2048)));
    told(refused(notes.copy_from_uri(long)).await, "source", "example.com", "at most 2 KiB");
    assert!(script.seen().is_empty());
}

#[tokio::test]
async fn what_surrounds_a_copy() {
    let (script, service) = unanswered();
    let vhds = service.container_client("vhds");
    let (disk, blob) = (vhds.page_blob_client("disk0.vhd"), vhds.blob_client("notes.txt"));
    told(refused(disk.resize(1000)).await, "page blob size", "1000", "a multiple of 512 bytes");
    let number = SequenceNumberAction::Update(1 << 63);
    let error = refused(disk.set_sequence_number(number)).await;
    told(error, "sequence number", "9223372036854775808", "at most 2^63 - 1");
    let lease = blob.acquire_lease(Duration::from_secs(14));
    told(refused(lease.clone()).await, "lease duration", "14s", "15 to 60 whole seconds");
    told(refused(lease.guard()).await, "lease duration", "14s", "15 to 60 whole seconds");
    let breaks = blob.break_lease().period(Duration::from_secs(61));
    told(refused(breaks).await, "break period", "61s", "0 to 60 whole seconds");
    let fixed = blob.with_snapshot(snapshot());
    let error = refused(fixed.acquire_infinite_lease()).await;
    told(error, "lease", "snapshot=", "not on a snapshot or version");
    let tags: Tags = (0..11).map(|number| (number.to_string(), "")).collect();
    told(refused(blob.set_tags(tags)).await, "tags", "11", "must be at most 10");
    let error = refused(blob.set_metadata([("a-b", "v")])).await;
    told(error, "metadata name", "a-b", "must be an identifier");
    let now = datetime!(2026-01-01 00:00 UTC);
    let error = refused(service.get_user_delegation_key(now, now + Duration::from_secs(60))).await;
    told(error, "credential", "shared_key", "must be bearer tokens");
    let previous = url("https://me:SECRET@example.com/disk");
    let error = refused(disk.get_managed_disk_page_ranges_diff(&previous).collect_all()).await;
    told(error, "previous snapshot URL", "not shown", "user name or password");
    assert!(script.seen().is_empty());

    let own = ClientOptions::new().read_from_secondary(true);
    let custom = BlobClient::builder(url("https://disks.example.com/con/b")).options(own).build();
    let error = custom.expect_err("no secondary");
    told(error, "endpoint", "disks.example.com", "names no account whose secondary");
}
