//! URLs with their own authorization: made in one call, and used without any credential.

use std::{collections::BTreeMap, net::Ipv4Addr, str::FromStr, time::Duration};

use blobcopy::{
    AccessToken, BlobClient, BlobContainerClient, BlobServiceClient, ClientOptions, Clock,
    Credential, CredentialError, Error, ServiceVersion, SharedKey, SnapshotId, TokenProvider,
    VersionId,
    sas::{
        AccountSasPermissions, AccountSasResourceTypes, BlobSasPermissions,
        ContainerSasPermissions, SasProtocol, SasUrl, ServiceSas,
    },
    transport::{BoxFuture, Request, Transport},
};
use blobcopy_simulator::Simulator;
use http::{HeaderMap, Method};
use serde_json::Value;
use time::{OffsetDateTime, macros::datetime};

use crate::support::script::{Script, answer_with, pass};

const KEY: &str = "VGhlIGFjY291bnQga2V5IG9mIHRoaXMgdGVzdCwgMTIzNDU2Nzg5MA==";
const NOW: OffsetDateTime = datetime!(2026-01-01 00:00 UTC);
const EXPIRY: OffsetDateTime = datetime!(2026-01-02 00:00 UTC);

#[derive(Debug)]
struct Provider;

impl TokenProvider for Provider {
    fn token<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<AccessToken, CredentialError>> {
        Box::pin(async { Ok(AccessToken::new("SECRET", datetime!(2030-01-01 00:00 UTC))) })
    }
}

fn read() -> BlobSasPermissions {
    BlobSasPermissions::new().read()
}

/// A simulated account `acct` with a container and a blob, and a client of it.
struct Account {
    sim: Simulator,
    service: BlobServiceClient,
}

impl Account {
    async fn new() -> Self {
        let sim = Simulator::builder()
            .account("acct", KEY)
            .clock(Clock::starting_at(NOW))
            .accept_bearer(|token| token == "SECRET")
            .build();
        let key = Credential::shared_key("acct", KEY).expect("a key");
        let service = Self::client(&sim, key);
        let vhds = service.container_client("vhds");
        vhds.create().await.expect("created");
        vhds.block_blob_client("a b/é.txt").upload("hello").await.expect("written");
        Self { sim, service }
    }

    fn client(sim: &Simulator, credential: Credential) -> BlobServiceClient {
        BlobServiceClient::builder("https://acct.blob.core.windows.net".parse().expect("a URL"))
            .credential(credential)
            .options(sim.client_options())
            .build()
            .expect("a client")
    }

    fn by_token(&self) -> BlobServiceClient {
        Self::client(&self.sim, Credential::token(Provider))
    }

    fn blob(&self) -> BlobClient {
        self.service.container_client("vhds").blob_client("a b/é.txt")
    }

    /// A client with the URL and no credential.
    fn lent(&self, url: &SasUrl) -> BlobClient {
        let options = self.sim.client_options();
        BlobClient::builder(url.into()).options(options).build().expect("a client")
    }

    fn lent_container(&self, url: &SasUrl) -> BlobContainerClient {
        let options = self.sim.client_options();
        BlobContainerClient::builder(url.into()).options(options).build().expect("a client")
    }
}

fn refused(error: &Error) -> (u16, &str) {
    let Error::Service(error) = error else { panic!("{error:?}") };
    (error.status.as_u16(), error.code.as_str())
}

#[tokio::test(start_paused = true)]
async fn a_url_grants_what_it_says_until_it_ends() {
    let account = Account::new().await;
    let by_token = account.by_token().container_client("vhds").blob_client("a b/é.txt");
    for blob in [account.blob(), by_token] {
        let until = account.sim.clock().now() + Duration::from_secs(3600);
        let url = blob.sas_url(read(), until).await.expect("signed");
        let lent = account.lent(&url);
        let content = lent.download().await.expect("may read").bytes().await.expect("whole");
        assert_eq!(content, "hello");
        let error = lent.block_blob_client().upload("x").await.expect_err("may not write");
        assert_eq!(refused(&error), (403, "AuthorizationPermissionMismatch"));
        let other = url.expose().replace("a%20b", "other").parse().expect("a URL");
        let options = account.sim.client_options();
        let other = BlobClient::builder(other).options(options).build();
        let error = other.expect("a client").download().await.expect_err("another blob");
        assert_eq!(refused(&error), (403, "AuthenticationFailed"));

        pass(Duration::from_secs(3600)).await;
        let error = lent.get_properties().await.expect_err("over");
        assert_eq!(refused(&error), (403, "AuthenticationFailed"));
        let shown = format!("{url:?} {error} {error:?} {lent:?}");
        assert!(shown.split("sig=").skip(1).all(|after| after.starts_with("REDACTED")), "{shown}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_url_can_write_and_be_a_source() {
    let account = Account::new().await;
    let may = BlobSasPermissions::new().create().write();
    let made = account.service.container_client("vhds").page_blob_client("disk1.vhd");
    let url = made.sas_url(may, EXPIRY).starts(NOW).protocol(SasProtocol::Https).await;
    let url = url.expect("signed");
    assert!(url.expose().contains("&sp=cw&spr=https&"), "{}", url.expose());
    account.lent(&url).page_blob_client().create(512).await.expect("may create");

    let source = account.blob().sas_url(read(), EXPIRY).await.expect("signed");
    let copy = account.service.container_client("vhds").blob_client("copy.txt");
    copy.copy_from_uri(&source).await.expect("copied");
    assert!(copy.exists().await.expect("answered"));
}

#[tokio::test(start_paused = true)]
async fn the_url_of_a_snapshot_or_version_grants_that_alone() {
    let account = Account::new().await;
    let blob = account.blob();
    let snapshot = blob.create_snapshot().await.expect("taken").snapshot;
    blob.block_blob_client().upload("newer").await.expect("written");
    let url = blob.with_snapshot(&snapshot).sas_url(read(), EXPIRY).await.expect("signed");
    assert!(url.expose().contains("?snapshot=") && url.expose().contains("&sr=bs&"));
    let content = account.lent(&url).download().await.expect("may read").bytes().await;
    assert_eq!(content.expect("whole"), "hello");
    let (base, query) = url.expose().split_once('?').expect("a query");
    let sas = query.split_once('&').expect("more").1;
    let whole = format!("{base}?{sas}").parse().expect("a URL");
    let options = account.sim.client_options();
    let whole = BlobClient::builder(whole).options(options).build();
    let error = whole.expect("a client").download().await.expect_err("not the snapshot");
    assert_eq!(refused(&error), (403, "AuthenticationFailed"));

    let version: VersionId = "2026-01-01T00:00:00.1234567Z".parse().expect("a version");
    let url = blob.with_version(&version).sas_url(read(), EXPIRY).await.expect("signed");
    assert!(url.expose().contains("?versionid=") && url.expose().contains("&sr=bv&"));
}

#[tokio::test(start_paused = true)]
async fn the_url_of_a_container_grants_its_blobs() {
    let account = Account::new().await;
    let may = ContainerSasPermissions::new().read().list();
    for service in [&account.service, &account.by_token()] {
        let url = service.container_client("vhds").sas_url(may, EXPIRY).await.expect("signed");
        assert!(url.expose().contains("&sr=c&"), "{}", url.expose());
        let lent = account.lent_container(&url);
        let names = lent.list_blobs().collect_all().await.expect("may list");
        assert_eq!(names.len(), 1);
        let content = lent.blob_client("a b/é.txt").download().await.expect("may read");
        assert_eq!(content.bytes().await.expect("whole"), "hello");
        let error = lent.block_blob_client("new").upload("x").await.expect_err("may not write");
        assert_eq!(refused(&error), (403, "AuthorizationPermissionMismatch"));
    }
}

#[tokio::test(start_paused = true)]
async fn a_url_that_would_be_of_no_use_is_refused_and_nothing_is_sent() {
    let account = Account::new().await;
    let blob = account.blob();
    let sas_url = blob.sas_url(read(), EXPIRY).await.expect("signed");
    account.sim.forget_requests();
    let version = |version: &str| {
        let version: ServiceVersion = version.parse().expect("a version");
        account.sim.client_options().service_version(version)
    };
    let at = |endpoint: &str, credential, options: ClientOptions| {
        let builder = BlobServiceClient::builder(endpoint.parse().expect("a URL"));
        let service = builder.credential(credential).options(options).build().expect("a client");
        service.container_client("vhds").blob_client("notes.txt")
    };
    let host = "https://acct.blob.core.windows.net";
    let key = || Credential::shared_key("acct", KEY).expect("a key");
    let token = || Credential::token(Provider);
    let options = || account.sim.client_options();
    let snapshot: SnapshotId = "2026-01-01T00:00:00.1234567Z".parse().expect("a snapshot");
    let days = |days: i64| NOW + time::Duration::days(days);
    let anonymous = at(host, Credential::anonymous(), options());
    let cases = [
        (account.lent(&sas_url).sas_url(read(), EXPIRY), "credential: "),
        (anonymous.sas_url(read(), EXPIRY), "credential: \"Credential::anonymous()\" must be"),
        (blob.sas_url(read(), NOW), "expiry of a SAS: \"2026-01-01 0:00:00.0 +00:00:00\" must be"),
        (blob.sas_url(read(), EXPIRY).starts(EXPIRY), "expiry of a SAS: "),
        (
            blob.sas_url(BlobSasPermissions::new(), EXPIRY),
            "SAS permissions: \"\" must not be empty",
        ),
        (
            at(host, key(), version("2011-08-18")).sas_url(read(), EXPIRY),
            "expiry of a SAS: \"2026-01-02T00:00:00Z\" must be within an hour",
        ),
        (
            at("http://127.0.0.1:10000/acct", key(), options())
                .sas_url(read(), EXPIRY)
                .protocol(SasProtocol::Https),
            "endpoint: \"http://127.0.0.1:10000/acct\" must be https",
        ),
        (
            at(host, key(), version("2018-03-28")).with_snapshot(&snapshot).sas_url(read(), EXPIRY),
            "SAS of a snapshot or version: ",
        ),
        (
            account.service.container_client("No").blob_client("b").sas_url(read(), EXPIRY),
            "container name: ",
        ),
        (at(host, token(), options()).sas_url(read(), days(8)), "SAS lifetime: "),
        (
            at("https://disks.example.com", token(), options()).sas_url(read(), EXPIRY),
            "endpoint: \"https://disks.example.com/\" names no account",
        ),
        (
            at(host, token(), version("2018-03-28")).sas_url(read(), EXPIRY),
            "service version: \"2018-03-28\" must be 2018-11-09 or later",
        ),
        (
            at(host, token(), options()).sas_url(BlobSasPermissions::new(), EXPIRY),
            "SAS permissions: \"\" must not be empty",
        ),
    ];
    for (url, expected) in cases {
        let error = url.await.expect_err(expected);
        assert!(matches!(error, Error::InvalidInput { .. }), "{error:?}");
        let told = error.to_string();
        assert!(told.starts_with(expected), "{told}\n{expected}");
    }
    assert!(account.sim.requests().is_empty());
    let hour = NOW + time::Duration::HOUR;
    at(host, key(), version("2011-08-18")).sas_url(read(), hour).await.expect("within an hour");
}

/// The parameters of a URL, decoded.
fn parameters(url: &str) -> BTreeMap<String, String> {
    let url: url::Url = url.parse().expect("a URL");
    url.query_pairs().into_owned().collect()
}

#[tokio::test(start_paused = true)]
async fn urls_equal_those_of_the_python_sdk() {
    let vectors: Value =
        serde_json::from_str(include_str!("../src/auth/vectors.json")).expect("JSON");
    let text = |name: &str| vectors[name].as_str().expect("text");
    let expected = |id: &str| {
        let all = vectors["sas"].as_array().expect("a list");
        let vector = all.iter().find(|vector| vector["id"] == id).expect("a vector");
        let token = vector["token"].as_str().expect("text");
        parameters(&format!("https://a.example/?{token}"))
    };
    let delegation_key = answer_with(&format!(
        "<UserDelegationKey><SignedOid>00000000-0000-0000-0000-00000000000a</SignedOid>\
         <SignedTid>00000000-0000-0000-0000-00000000000b</SignedTid>\
         <SignedStart>2026-01-01T00:00:00Z</SignedStart>\
         <SignedExpiry>2026-01-03T00:00:00Z</SignedExpiry><SignedService>b</SignedService>\
         <SignedVersion>2026-06-06</SignedVersion><Value>{}</Value></UserDelegationKey>",
        text("user_delegation_key_value")
    ));
    let script = Script::new([delegation_key]);
    let service = |credential: &Credential, version: &str| {
        let version = version.parse().expect("a version");
        let options = ClientOptions::new().transport(script.clone()).service_version(version);
        let endpoint = "https://devstoreaccount1.blob.core.windows.net".parse().expect("a URL");
        let builder = BlobServiceClient::builder(endpoint).credential(credential.clone());
        builder.options(options.clock(Clock::starting_at(NOW))).build().expect("a client")
    };
    let by_key = Credential::shared_key(text("account"), text("key")).expect("a key");
    let by_token = Credential::token(Provider);

    for (id, version) in [("S1", "2026-06-06"), ("S6", "2019-12-12"), ("S8", "2026-10-06")] {
        let blob = service(&by_key, version).container_client("src").blob_client("dir/b c.txt");
        let url = blob.sas_url(read(), EXPIRY).starts(NOW).protocol(SasProtocol::Https).await;
        assert_eq!(parameters(url.expect(id).expose()), expected(id), "{id}");
    }
    let snapshot: SnapshotId = "2025-12-31T23:59:59.1234567Z".parse().expect("a snapshot");
    let disk = service(&by_key, "2026-06-06").container_client("vhds").blob_client("disk.vhd");
    let url = disk.with_snapshot(&snapshot).sas_url(read(), EXPIRY).await.expect("signed");
    let mut made = parameters(url.expose());
    assert_eq!(made.remove("snapshot").as_deref(), Some(snapshot.as_str()));
    assert_eq!(made, expected("S2"));
    let everything = ContainerSasPermissions::new().read().add().create().write().delete().list();
    let url = service(&by_key, "2026-06-06")
        .container_client("dst")
        .sas_url(everything, EXPIRY)
        .ip(Ipv4Addr::new(168, 1, 5, 60)..=Ipv4Addr::new(168, 1, 5, 70))
        .protocol(SasProtocol::HttpsAndHttp)
        .encryption_scope("scope1")
        .content_type("text/plain")
        .await;
    assert_eq!(parameters(url.expect("signed").expose()), expected("S3"));
    assert!(script.seen().is_empty());

    let blob = service(&by_token, "2026-06-06").container_client("src").blob_client("b.txt");
    for _ in 0..2 {
        let url = blob.sas_url(read(), EXPIRY).starts(NOW).protocol(SasProtocol::Https);
        let url = url.client_request_id("call-1").server_timeout(Duration::from_secs(7)).await;
        assert_eq!(parameters(url.expect("signed").expose()), expected("U1"));
    }
    let [request] = &script.seen()[..] else { panic!("one key for all") };
    assert_eq!(request.headers()["x-ms-client-request-id"], "call-1");
    assert!(request.url().query().is_some_and(|query| query.ends_with("&timeout=7")));
}

/// Sets the container's only stored access policy, or removes all.
async fn set_policy(account: &Account, policy: &str) {
    let url = "https://acct.blob.core.windows.net/vhds?restype=container&comp=acl";
    let body = format!("<SignedIdentifiers>{policy}</SignedIdentifiers>");
    let headers: HeaderMap = [
        ("authorization", "Bearer SECRET".to_owned()),
        ("x-ms-version", "2026-04-06".to_owned()),
        ("x-ms-date", "Thu, 01 Jan 2026 00:00:00 GMT".to_owned()),
        ("content-length", body.len().to_string()),
    ]
    .into_iter()
    .map(|(name, value)| (name.parse().expect("a name"), value.parse().expect("a value")))
    .collect();
    let url = url.parse().expect("a URL");
    let request = Request::new(Method::PUT, url, headers, body.into());
    let answer = account.sim.transport().send(request).await.expect("an answer");
    assert_eq!(answer.status(), 200);
}

#[tokio::test(start_paused = true)]
async fn a_stored_access_policy_says_what_the_sas_leaves_open_and_can_be_withdrawn() {
    const WHOLE: &str = "<SignedIdentifier><Id>nightly</Id><AccessPolicy>\
        <Expiry>2026-01-02T00:00:00Z</Expiry><Permission>rl</Permission>\
        </AccessPolicy></SignedIdentifier>";
    const ONLY_PERMISSION: &str = "<SignedIdentifier><Id>nightly</Id><AccessPolicy>\
        <Permission>rl</Permission></AccessPolicy></SignedIdentifier>";
    let account = Account::new().await;
    let key = SharedKey::new("acct", KEY).expect("a key");
    let base = account.blob().url().expect("legal");
    let lent = |sas: blobcopy::SasToken| {
        let url = format!("{base}?{}", sas.expose()).parse().expect("a URL");
        let options = account.sim.client_options();
        BlobClient::builder(url).options(options).build().expect("a client")
    };
    let by_policy = || ServiceSas::container("vhds").stored_policy("nightly");
    let whole = lent(by_policy().sign(&key).expect("signed"));
    let dated = lent(by_policy().expires(EXPIRY).sign(&key).expect("signed"));

    let readable = async |blob: &BlobClient| {
        let result = blob.get_properties().await;
        result.map(|_| ()).map_err(|error| refused(&error).0)
    };
    set_policy(&account, WHOLE).await;
    assert_eq!((readable(&whole).await, readable(&dated).await), (Ok(()), Err(403)), "both say se");
    set_policy(&account, ONLY_PERMISSION).await;
    assert_eq!(
        (readable(&whole).await, readable(&dated).await),
        (Err(403), Ok(())),
        "no se at all"
    );
    set_policy(&account, "").await;
    assert_eq!((readable(&whole).await, readable(&dated).await), (Err(403), Err(403)), "withdrawn");
}

#[tokio::test(start_paused = true)]
async fn an_account_sas_url_grants_its_types_in_the_whole_account() {
    let account = Account::new().await;
    let may: AccountSasPermissions = "rl".parse().expect("letters");
    let types = AccountSasResourceTypes::new().container().object();
    let blob = account.blob();
    let url = blob.account_sas_url(may, types, EXPIRY).await.expect("signed");
    assert!(url.expose().contains("/a%20b/%C3%A9.txt?sv="), "{url:?}");
    assert!(url.expose().contains("&sp=rl&ss=b&srt=co&"), "{url:?}");
    let content = account.lent(&url).download().await.expect("may read").bytes().await;
    assert_eq!(content.expect("whole"), "hello");
    let error = account.lent(&url).block_blob_client().upload("x").await.expect_err("may not");
    assert_eq!(refused(&error), (403, "AuthorizationPermissionMismatch"));

    let container = account.service.container_client("vhds");
    let url = container.account_sas_url(may, types, EXPIRY).starts(NOW).await.expect("signed");
    let listed = account.lent_container(&url).list_blobs().collect_all().await.expect("may list");
    assert_eq!(listed.len(), 1);

    let types = types.service();
    let url = account.service.account_sas_url(may, types, EXPIRY).await.expect("signed");
    let options = account.sim.client_options();
    let lent = BlobServiceClient::builder((&url).into()).options(options).build();
    let lent = lent.expect("a client");
    assert_eq!(lent.list_containers().collect_all().await.expect("may list").len(), 1);
    let lent = lent.container_client("vhds").blob_client("a b/é.txt");
    assert!(lent.exists().await.expect("may read"));
    pass(Duration::from_secs(24 * 3600)).await;
    assert!(lent.exists().await.is_err(), "it is over");
}

#[tokio::test(start_paused = true)]
async fn the_account_sas_url_of_a_snapshot_names_it() {
    let account = Account::new().await;
    let (blob, read) = (account.blob(), AccountSasPermissions::new().read());
    let snapshot = blob.create_snapshot().await.expect("taken").snapshot;
    blob.block_blob_client().upload("newer").await.expect("written");
    let types = AccountSasResourceTypes::new().object();
    let url = blob.with_snapshot(&snapshot).account_sas_url(read, types, EXPIRY).await;
    let url = url.expect("signed");
    assert!(url.expose().contains("?snapshot=") && url.expose().contains("&srt=o&"), "{url:?}");
    let content = account.lent(&url).download().await.expect("may read").bytes().await;
    assert_eq!(content.expect("whole"), "hello");
}

#[tokio::test(start_paused = true)]
async fn an_account_sas_url_that_would_be_of_no_use_is_refused_and_nothing_is_sent() {
    let account = Account::new().await;
    let may = AccountSasPermissions::new().read();
    let types = AccountSasResourceTypes::new().object();
    let sas = account.service.account_sas_url(may, types, EXPIRY).await.expect("signed");
    account.sim.forget_requests();
    let by_sas = BlobServiceClient::builder((&sas).into()).build().expect("a client");
    let old = ServiceVersion::from_str("2015-02-21").expect("a version");
    let options = account.sim.client_options().service_version(old);
    let old = BlobServiceClient::builder(account.service.url().clone())
        .credential(Credential::shared_key("acct", KEY).expect("a key"))
        .options(options)
        .build()
        .expect("a client");
    let service = &account.service;
    let none = AccountSasPermissions::new();
    for (url, expected) in [
        (account.by_token().account_sas_url(may, types, EXPIRY), "credential: "),
        (by_sas.account_sas_url(may, types, EXPIRY), "credential: "),
        (service.account_sas_url(may, types, NOW), "expiry of a SAS: "),
        (service.account_sas_url(none, types, EXPIRY), "SAS permissions: \"\" must not be empty"),
        (
            service.account_sas_url(may, AccountSasResourceTypes::new(), EXPIRY),
            "resource types of a SAS: ",
        ),
        (service.container_client("No").account_sas_url(may, types, EXPIRY), "container name: "),
        (old.account_sas_url(may, types, EXPIRY), "account SAS: "),
    ] {
        let error = url.await.expect_err(expected);
        assert!(matches!(error, Error::InvalidInput { .. }), "{error:?}");
        let told = error.to_string();
        assert!(told.starts_with(expected) && !told.contains(KEY), "{told}\n{expected}");
    }
    assert!(account.sim.requests().is_empty());
}
