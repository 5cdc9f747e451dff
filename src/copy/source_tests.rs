use super::*;
use crate::{auth::credential::Credential, clients::BlobServiceClient};

const KEY: &str = "c2VjcmV0";
const SNAPSHOT: &str = "2026-01-01T00:00:00.1234567Z";

fn blob(account: &str, credential: Credential, name: &str) -> BlobClient {
    let endpoint = format!("https://{account}.blob.core.windows.net").parse().expect("a URL");
    let service = BlobServiceClient::new(endpoint, credential).expect("a client");
    service.container_client("vhds").blob_client(name)
}

fn by_key(account: &str) -> BlobClient {
    blob(account, Credential::shared_key(account, KEY).expect("a key"), "disk 0")
}

fn snapshot() -> SnapshotId {
    SNAPSHOT.parse().expect("a snapshot")
}

fn text(source: &HeaderValue) -> &str {
    source.to_str().expect("text")
}

#[tokio::test]
async fn a_url_is_sent_byte_for_byte() {
    for url in [
        "https://example.com/a%20b/c",
        "https://a.blob.core.windows.net/c/b?snapshot=2026-01-01T00%3A00%3A00.1234567Z&sig=a%2Bb%3d",
        "https://a.blob.core.windows.net/c/b?sp=r&sig=a%2Fb%3D&se=2026-01-02T00%3a00%3A00Z",
    ] {
        let source = CopySource::from(url.parse::<Url>().expect("a URL"));
        let source = source.resolve(&by_key("dst")).await.expect("resolves");
        assert_eq!(text(&source), url);
        assert!(source.is_sensitive());
    }
}

#[tokio::test]
async fn an_incremental_source_has_the_given_snapshot_in_place_of_its_own() {
    let base = "https://a.blob.core.windows.net/c/b";
    for (own, rest) in [
        ("", ""),
        ("?snapshot=2020-01-01T00:00:00.0000000Z", ""),
        ("?SNAPSHOT=2020-01-01T00%3A00%3A00Z&sp=r&sig=x%2B", "&sp=r&sig=x%2B"),
        ("?sp=r&sig=x%2B", "&sp=r&sig=x%2B"),
    ] {
        let source = CopySource::from(format!("{base}{own}").parse::<Url>().expect("a URL"));
        let source = source.resolve_snapshot(&snapshot()).await.expect("resolves");
        assert_eq!(text(&source), format!("{base}?snapshot={SNAPSHOT}{rest}"));
    }
}

#[tokio::test]
async fn a_client_with_a_sas_lends_it_untouched() {
    let sas = "sv=2026-04-06&sp=r&sig=a%2Bb%3D";
    let source = blob("src", Credential::sas(sas).expect("a SAS"), "disk 0");
    let ordinary = CopySource::from(&source).resolve(&by_key("dst")).await.expect("resolves");
    let base = "https://src.blob.core.windows.net/vhds/disk%200";
    assert_eq!(text(&ordinary), format!("{base}?{sas}"));
    let incremental =
        CopySource::from(&source).resolve_snapshot(&snapshot()).await.expect("resolves");
    let snapshot = SNAPSHOT.replace(':', "%3A");
    assert_eq!(text(&incremental), format!("{base}?snapshot={snapshot}&{sas}"));
}

#[tokio::test]
async fn a_key_mints_a_sas_unless_the_request_covers_the_source() {
    let source = CopySource::from(&by_key("acct"));
    let same = source.resolve(&by_key("acct")).await.expect("resolves");
    assert_eq!(text(&same), "https://acct.blob.core.windows.net/vhds/disk%200");

    let by_sas = blob("acct", Credential::sas("sp=w&sig=x").expect("a SAS"), "disk 0");
    for destination in [by_key("other"), by_sas] {
        let minted = source.resolve(&destination).await.expect("resolves");
        assert!(text(&minted).contains("sp=r") && text(&minted).contains("sr=b&"), "{minted:?}");
        assert!(text(&minted).contains("sig="));
    }
    let snapshot = source.resolve_snapshot(&snapshot()).await.expect("resolves");
    assert!(text(&snapshot).contains("sr=bs"), "even within the account: {snapshot:?}");
}

#[tokio::test]
async fn the_minted_sas_lives_as_long_as_it_is_told() {
    let source = CopySource::from(&by_key("acct"));
    let hour = source.clone().sas_lifetime(Duration::from_secs(3600));
    assert!(hour.resolve_snapshot(&snapshot()).await.is_ok());
    for absurd in [Duration::ZERO, Duration::from_secs(59), Duration::MAX] {
        let error = source.clone().sas_lifetime(absurd).resolve_snapshot(&snapshot()).await;
        let error = error.expect_err("absurd").to_string();
        assert!(error.starts_with("SAS lifetime: ") && error.contains("1 minute to 14"), "{error}");
    }
}

#[tokio::test]
async fn a_source_that_cannot_be_is_refused_by_name_value_and_rule() {
    let long = format!("https://a.blob.core.windows.net/c/{}?sig=SECRET", "x".repeat(2048));
    for (url, rule) in [
        ("ftp://example.com/a", "http or https"),
        ("https://user:SECRET@example.com/a", "user name or password"),
        ("https://example.com/a#b", "fragment"),
        (long.as_str(), "at most 2 KiB"),
    ] {
        let source = CopySource::from(url.parse::<Url>().expect("a URL"));
        for error in [
            source.resolve(&by_key("dst")).await.expect_err(rule),
            source.resolve_snapshot(&snapshot()).await.expect_err(rule),
        ] {
            let error = error.to_string();
            assert!(error.starts_with("source: ") && error.contains(rule), "{error}");
            assert!(!error.contains("SECRET"), "{error}");
        }
    }
    let exact = format!("https://a.blob.core.windows.net/c/{}", "x".repeat(2048 - 34));
    let source = CopySource::from(exact.parse::<Url>().expect("a URL"));
    assert_eq!(text(&source.resolve(&by_key("dst")).await.expect("2 KiB fit")).len(), 2048);
}

#[test]
fn the_signature_is_in_no_form_of_a_source() {
    let url = "https://a.blob.core.windows.net/c/b?sp=r&sig=SECRET".parse::<Url>().expect("a URL");
    let shown = format!("{:?}", CopySource::from(url));
    assert_eq!(shown, "CopySource(https://a.blob.core.windows.net/c/b?sp=r&sig=REDACTED)");
}

#[test]
fn an_echo_is_recognised_in_each_form_that_the_service_gives_it() {
    let sent = "https://a.blob.core.windows.net/con/d%20e%2Bf?snapshot=2026-01-01T00:00:00.1234567Z&sp=r&sig=x";
    let sent = SourceIdentity::of(sent).expect("a source");
    for echo in [
        "http://a.blob.core.windows.net/con/d%20e%2Bf?snapshot=2026-01-01T00:00:00.1234567Z",
        "https://a.blob.core.windows.net:443/con/d%20e%2bf?snapshot=2026-01-01T00%3a00%3a00.1234567Z",
        "https://A.blob.core.windows.net/con/d%20e+f?sig=x&Snapshot=2026-01-01T00%3A00%3A00.1234567Z",
        "https://a-secondary.blob.core.windows.net/con/d%20e%2Bf?snapshot=2026-01-01T00:00:00.1234567Z",
        "http://127.0.0.1:10000/a/con/d%20e%2Bf?snapshot=2026-01-01T00:00:00.1234567Z",
    ] {
        assert_eq!(SourceIdentity::of(echo).as_ref(), Some(&sent), "{echo}");
    }
    for other in [
        "https://a.blob.core.windows.net/con/d%20e%2Bf",
        "https://a.blob.core.windows.net/con/D%20e%2Bf?snapshot=2026-01-01T00:00:00.1234567Z",
        "https://a.blob.core.windows.net/con/d%20e%2Bf?snapshot=2026-01-01T00:00:00.1234568Z",
        "https://a.blob.core.windows.net/con/d%20e%2Bf?versionid=2026-01-01T00:00:00.1234567Z",
        "https://b.blob.core.windows.net/con/d%20e%2Bf?snapshot=2026-01-01T00:00:00.1234567Z",
    ] {
        assert_ne!(SourceIdentity::of(other).as_ref(), Some(&sent), "{other}");
    }
}

#[test]
fn a_source_that_is_no_blob_is_recognised_by_host_and_path() {
    let sent = SourceIdentity::of("https://example.com/My%20Files/A").expect("a source");
    let echo = SourceIdentity::of("http://example.com:80/My%20Files/A?sig=x").expect("a source");
    assert_eq!(sent, echo);
    assert_ne!(Some(sent), SourceIdentity::of("https://example.com/other"));
}

#[test]
fn the_form_of_a_url_shows_neither_signature_nor_user_info() {
    let url = "https://name:SECRET@a.blob.core.windows.net/c/b?sp=r&sig=SECRET";
    let source = CopySource::from(url.parse::<Url>().expect("a URL"));
    let shown = "CopySource(https://a.blob.core.windows.net/c/b?sp=r&sig=REDACTED)";
    assert_eq!(format!("{source:?}"), shown);
}
