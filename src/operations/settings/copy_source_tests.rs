use super::*;
use crate::{
    auth::credential::Credential,
    clients::{BlobClient, BlobServiceClient},
};

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
        let source = source.resolve(&by_key("dst").0).await.expect("resolves");
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
    let ordinary = CopySource::from(&source).resolve(&by_key("dst").0).await.expect("resolves");
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
    let same = source.resolve(&by_key("acct").0).await.expect("resolves");
    assert_eq!(text(&same), "https://acct.blob.core.windows.net/vhds/disk%200");

    let by_sas = blob("acct", Credential::sas("sp=w&sig=x").expect("a SAS"), "disk 0");
    for destination in [by_key("other"), by_sas] {
        let minted = source.resolve(&destination.0).await.expect("resolves");
        assert!(text(&minted).contains("sp=r") && text(&minted).contains("sr=b&"), "{minted:?}");
        assert!(text(&minted).contains("sig="));
    }
    let snapshot = source.resolve_snapshot(&snapshot()).await.expect("resolves");
    assert!(text(&snapshot).contains("sig="), "even within the account: {snapshot:?}");
}

/// The `sr`, `sv` and `spr` of a generated SAS, and for how many hours it is valid.
fn minted(source: &HeaderValue) -> (String, String, Option<String>, i64) {
    let url: Url = text(source).parse().expect("a URL");
    let of = |name: &str| {
        let pair = url.query_pairs().find(|(found, _)| found == name);
        pair.map(|(_, value)| value.into_owned())
    };
    let format = &time::format_description::well_known::Rfc3339;
    let expiry = OffsetDateTime::parse(&of("se").expect("an end"), format).expect("a date");
    assert!(of("sig").is_some() && of("st").is_none(), "{url}");
    let hours = (expiry - NOW).whole_hours();
    (of("sr").expect("a kind"), of("sv").expect("a version"), of("spr"), hours)
}

const NOW: OffsetDateTime = time::macros::datetime!(2026-01-01 00:00 UTC);

fn at_now(endpoint: &str) -> BlobClient {
    let clock = crate::wire::clock::Clock::starting_at(NOW);
    let service = BlobServiceClient::builder(endpoint.parse().expect("a URL"))
        .credential(Credential::shared_key("acct", KEY).expect("a key"))
        .options(crate::pipeline::options::ClientOptions::new().clock(clock))
        .build()
        .expect("a client");
    service.container_client("vhds").blob_client("disk 0")
}

#[tokio::test(start_paused = true)]
async fn a_minted_sas_is_of_the_base_blob_for_an_increment_and_as_long_as_the_copy_may_need() {
    let blob = at_now("https://acct.blob.core.windows.net");
    let https = Some("https".to_owned());
    let (week, hour) = (7 * 24, 1);

    let source = CopySource::from(&blob.with_snapshot(snapshot()));
    let incremental = source.resolve_snapshot(&snapshot()).await.expect("resolves");
    assert!(text(&incremental).contains("?snapshot=2026-01-01T00%3A00%3A00.1234567Z&"));
    let expected = ("b".into(), "2015-04-05".into(), https.clone(), week);
    assert_eq!(minted(&incremental), expected);

    let ordinary = source.resolve(&by_key("other").0).await.expect("resolves");
    let narrow = ("bs".into(), "2018-11-09".into(), https.clone(), week);
    assert_eq!(minted(&ordinary), narrow);

    let (at_once, bearer) =
        CopySource::from(&blob).resolve_at_once(None, true).await.expect("resolves");
    assert!(bearer.is_none());
    assert_eq!(minted(&at_once), ("b".into(), "2015-04-05".into(), https, hour));

    let open = at_now("http://acct.blob.core.windows.net");
    let open = CopySource::from(&open).resolve(&by_key("other").0).await.expect("resolves");
    assert_eq!(minted(&open), ("b".into(), "2015-04-05".into(), None, week));
}

#[tokio::test]
async fn a_sas_is_signed_over_the_name_that_the_service_stores() {
    let key = Credential::shared_key("acct", KEY).expect("a key");
    let client = |name: &str| {
        let url = format!("https://acct.blob.core.windows.net/vhds/{name}");
        BlobClient::new(url.parse().expect("a URL"), key.clone()).expect("a client")
    };
    let expiry = time::macros::datetime!(2026-02-01 00:00 UTC);
    let signed = |blob: &BlobClient| {
        let blob = &blob.0;
        let Proof::SharedKey(key) = &blob.pipeline().credential().0 else { panic!("a key") };
        let sas = to_read(blob, expiry).sign(key).expect("signs");
        format!("{}?{}", blob.url().expect("a URL"), sas.expose())
    };
    for (written, stored) in [("disk%2E", "disk"), ("disk..", "disk"), ("a%5Cb", "a/b")] {
        assert_eq!(signed(&client(written)), signed(&client(stored)), "{written}");
    }
    assert_ne!(signed(&client("a./b")), signed(&client("a/b")));
}

#[tokio::test]
async fn an_incremental_copy_of_a_managed_disk_is_refused_with_the_way_that_works() {
    let grant = "https://md-abc.z01.blob.storage.azure.net/x1y/abcd?sr=b&sk=key1&sig=SECRET";
    let url: Url = grant.parse().expect("a URL");
    let client = BlobClient::new(url.clone(), Credential::anonymous()).expect("a client");
    for source in [CopySource::from(url), CopySource::from(&client)] {
        let error = source.resolve_snapshot(&snapshot()).await.expect_err("a disk").to_string();
        assert!(error.contains("get_managed_disk_page_ranges_diff"), "{error}");
        assert!(error.contains("upload_pages_from_uri") && !error.contains("SECRET"), "{error}");
        let (at_once, _) = source.resolve_at_once(None, true).await.expect("read by ranges");
        assert_eq!(text(&at_once), grant);
    }
}

#[test]
fn hosts_that_look_alike_hold_different_blobs() {
    let of = |url: &str| SourceIdentity::of(url).expect("a source");
    let one = of("http://azurite.blob.svc.one.local:10000/acct1/con/b");
    assert_ne!(one, of("http://azurite.blob.svc.two.local:10000/acct1/con/b"));
    assert_ne!(one, of("http://azurite.blob.svc.one.local:10000/acct2/con/b"));
    assert_eq!(one, of("https://azurite.blob.svc.one.local:443/acct1/con/b.?sig=x"));
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
            source.resolve(&by_key("dst").0).await.expect_err(rule),
            source.resolve_snapshot(&snapshot()).await.expect_err(rule),
        ] {
            let error = error.to_string();
            assert!(error.starts_with("source: ") && error.contains(rule), "{error}");
            assert!(!error.contains("SECRET"), "{error}");
        }
    }
    let exact = format!("https://a.blob.core.windows.net/c/{}", "x".repeat(2048 - 34));
    let source = CopySource::from(exact.parse::<Url>().expect("a URL"));
    assert_eq!(text(&source.resolve(&by_key("dst").0).await.expect("2 KiB fit")).len(), 2048);
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
        "https://a-secondary-ipv6.blob.core.windows.net/con/d%20e%2Bf..?snapshot=2026-01-01T00:00:00.1234567Z",
        "https://a.blob.core.windows.net/con/d%20e%2Bf%2E?snapshot=2026-01-01T00:00:00.1234567Z",
    ] {
        assert_eq!(SourceIdentity::of(echo).as_ref(), Some(&sent), "{echo}");
    }
    for other in [
        "https://a.blob.core.windows.net/con/d%20e%2Bf",
        "https://a.blob.core.windows.net/con/D%20e%2Bf?snapshot=2026-01-01T00:00:00.1234567Z",
        "https://a.blob.core.windows.net/con/d%20e%2Bf?snapshot=2026-01-01T00:00:00.1234568Z",
        "https://a.blob.core.windows.net/con/d%20e%2Bf?versionid=2026-01-01T00:00:00.1234567Z",
        "https://b.blob.core.windows.net/con/d%20e%2Bf?snapshot=2026-01-01T00:00:00.1234567Z",
        "https://a.blob.core.chinacloudapi.cn/con/d%20e%2Bf?snapshot=2026-01-01T00:00:00.1234567Z",
        "http://127.0.0.1:10000/a/con/d%20e%2Bf?snapshot=2026-01-01T00:00:00.1234567Z",
        "https://a.blob.core.windows.net/con/d%20e%2Bf./?snapshot=2026-01-01T00:00:00.1234567Z",
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

#[test]
fn of_a_host_that_is_no_account_the_query_may_choose_the_file() {
    let of = |url: &str| SourceIdentity::of(url).expect("a source");
    let sent = of("https://files.example.com/get?file=a&sv=2026-04-06&sig=x");
    assert_ne!(sent, of("https://files.example.com/get?file=b"));
    assert_ne!(sent, of("https://files.example.com/get"));
    assert_eq!(sent, of("https://files.example.com:443/get?file=a"));
    let presigned = of("https://s3.example.com/vhds/a?X-Amz-Date=1&X-Amz-Signature=x");
    assert_eq!(presigned, of("https://s3.example.com/vhds/a"));
    // For an account, the path alone is the identity.
    let blob = of("https://acct.blob.core.windows.net/vhds/b?sv=2026-04-06&more=1");
    assert_eq!(blob, of("https://acct.blob.core.windows.net/vhds/b"));
}
