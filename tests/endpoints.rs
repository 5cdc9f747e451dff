//! The account that an endpoint belongs to, and invalid endpoints.

use blobcopy::{
    AccessToken, BlobClient, BlobContainerClient, BlobServiceClient, ClientOptions, Clock,
    CopyToken, Credential, CredentialError, TokenProvider,
    sas::{BlobSasPermissions, SasProtocol, UserDelegationSas},
    transport::BoxFuture,
};
use proptest::{prelude::*, sample::select};
use time::macros::datetime;
use url::Url;

use crate::support::script::{Script, Step, started};

const ACCOUNT: &str = "acct1";

/// Endpoints of one account, and whether a URL below it shows the account to a reader that knows
/// its name.
const ENDPOINTS: [(&str, bool); 18] = [
    ("https://acct1.blob.core.windows.net", true),
    ("https://acct1-ipv6.blob.core.windows.net", true),
    ("https://acct1.z01.blob.storage.azure.net", true),
    ("https://acct1.blob.core.chinacloudapi.cn", true),
    ("https://acct1.blob.local.azurestack.external", true),
    ("http://acct1.localhost:10000", true),
    ("http://127.0.0.1:10000/acct1", true),
    ("http://127.0.0.1:33123/acct1", true),
    ("http://[::1]:10000/acct1", true),
    ("http://azurite:10000/acct1", true),
    ("http://azurite.blob.svc.cluster.local:10000/acct1", true),
    ("http://azurite.localhost:10000/acct1", true),
    ("http://host.docker.internal:10010/acct1", true),
    ("https://files.blob.contoso.example", true),
    ("https://files.contoso.example", true),
    ("http://10.0.0.5", true),
    ("https://gateway.example/base", false),
    ("https://gateway.example/base/acct1", false),
];

fn url(text: &str) -> Url {
    text.parse().expect("a URL")
}

fn key() -> Credential {
    Credential::shared_key(ACCOUNT, "c2VjcmV0").expect("a key")
}

fn sas() -> Credential {
    Credential::sas("sv=2026-04-06&ss=b&srt=sco&sp=rw&sig=c2VjcmV0").expect("a SAS")
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(512)
    })]

    /// Whatever a service client is configured with, its own URLs and tokens lead back to the same
    /// blob.
    #[test]
    fn a_url_and_a_token_lead_back_to_the_blob_that_they_are_of(
        (endpoint, shown) in select(&ENDPOINTS[..]),
        by_key in any::<bool>(),
        container in select(&["vhds", "base", "$root", "$web"][..]),
        name in "[a-cA./\\\\ %+#?:é]{1,8}|acct1/[ab]{1,3}|[ab]/acct1/[ab]",
    ) {
        let credential = || if by_key { key() } else { sas() };
        let options = ClientOptions::new().transport(Script::new([]));
        let service = BlobServiceClient::builder(url(endpoint))
            .credential(credential())
            .account_name(ACCOUNT)
            .options(options.clone())
            .build()
            .expect(endpoint);
        prop_assert_eq!(service.account_name(), Some(ACCOUNT));
        let blob = service.container_client(container).blob_client(&name);
        let Ok(at) = blob.url() else { return Ok(()) };

        let token = CopyToken::new(at.clone(), "id-1".parse::<blobcopy::CopyId>().expect("an id"));
        let copy = service.resume(&token).expect(endpoint);
        let into = copy.blob();
        prop_assert_eq!(into.url().expect(endpoint), at.clone());
        prop_assert_eq!(into.name(), &name);
        prop_assert_eq!(into.container_name(), container);
        prop_assert_eq!(copy.token(), token);

        let again = BlobClient::builder(at.clone()).credential(credential());
        let again = again.options(options.clone()).build();
        // Without a name, an IP address is treated as an emulator's.
        let guessed = !by_key && endpoint == "http://10.0.0.5";
        if let (false, Ok(again)) = (guessed, &again) {
            let path = |url: &Url| {
                let path = percent_encoding::percent_decode_str(url.path());
                path.decode_utf8().expect("text").into_owned()
            };
            let again = again.url().expect(endpoint);
            prop_assert_eq!((again.origin(), path(&again)), (at.origin(), path(&at)));
        }
        if shown && by_key {
            let again = again.expect(endpoint);
            prop_assert_eq!((again.container_name(), again.name()), (container, &*name));
            let whole = service.container_client(container).url().expect(endpoint);
            let whole = BlobContainerClient::builder(whole).credential(key()).options(options);
            let whole = whole.build().expect(endpoint);
            prop_assert_eq!(whole.name(), container);
        }
    }
}

#[test]
fn a_token_of_another_service_is_refused() {
    let service = BlobServiceClient::new(url("https://gateway.example/base"), key()).expect("made");
    for other in [
        "https://gateway.example/base2/vhds/disk",
        "https://gateway.example/vhds/disk",
        "http://gateway.example/base/vhds/disk",
        "https://gateway.example:8443/base/vhds/disk",
        "https://acct1.blob.core.windows.net/base/vhds/disk",
    ] {
        let token = CopyToken::new(url(other), "id-1".parse::<blobcopy::CopyId>().expect("an id"));
        let error = service.resume(&token).expect_err(other).to_string();
        assert!(error.contains("is not in the account at"), "{error}");
    }
}

#[test]
fn the_url_of_a_container_is_no_endpoint_and_the_words_name_the_way() {
    let sas = "sv=2026-04-06&sr=c&sp=rwl&sig=SECRET";
    let host = "https://acct1.blob.core.windows.net/backups";
    let exported = [
        format!("BlobEndpoint={host}?{sas}"),
        format!("BlobEndpoint={host}/?{sas}"),
        format!("BlobEndpoint={host};SharedAccessSignature={sas}"),
        format!("AccountName=acct1;BlobEndpoint={host};SharedAccessSignature={sas}"),
        format!("AccountName=acct1;BlobEndpoint={host};AccountKey=c2VjcmV0"),
        format!("BlobEndpoint={host};AccountKey=c2VjcmV0"),
        format!("BlobEndpoint={host}/disk0.vhd?{sas}"),
        format!("BlobEndpoint=http://127.0.0.1:10000/acct1/backups?{sas}"),
        format!("BlobEndpoint=https://files.contoso.example/backups;SharedAccessSignature={sas}"),
        "AccountName=acct1;AccountKey=c2VjcmV0;BlobEndpoint=https://acct1.blob.core.windows.net;\
         BlobSecondaryEndpoint=https://acct1-secondary.blob.core.windows.net/backups"
            .to_owned(),
    ];
    for text in exported {
        let error = BlobServiceClient::from_connection_string(&text).expect_err(&text).to_string();
        assert!(error.contains("BlobContainerClient::new"), "{text}: {error}");
        assert!(!error.contains("SECRET"), "{error}");
    }
    let error = BlobServiceClient::new(url(host), key()).expect_err("a container").to_string();
    assert!(error.contains("BlobContainerClient::new"), "{error}");

    let whole = url(&format!("{host}?{sas}"));
    let named = BlobContainerClient::new(whole.clone(), Credential::anonymous()).expect("the way");
    assert_eq!(named.name(), "backups");
    let error = BlobClient::new(whole, Credential::anonymous()).expect_err("no blob").to_string();
    assert!(error.contains("BlobContainerClient::new"), "{error}");
    let blob = url(&format!("{host}/disk0.vhd"));
    let error = BlobContainerClient::new(blob, key()).expect_err("a blob").to_string();
    assert!(error.contains("BlobClient::new"), "{error}");
}

#[test]
fn the_account_name_of_a_connection_string_wins_over_the_host() {
    for endpoint in [
        "https://files.blob.contoso.example",
        "http://azurite.blob.svc.cluster.local:10000/acct1",
        "http://azurite.localhost:10000/acct1",
        "https://gateway.example/base",
    ] {
        for secret in ["AccountKey=c2VjcmV0", "SharedAccessSignature=sv=2026-04-06&sp=r&sig=x"] {
            let text = format!("AccountName=acct1;{secret};BlobEndpoint={endpoint}");
            let service = BlobServiceClient::from_connection_string(&text).expect(&text);
            assert_eq!(service.account_name(), Some(ACCOUNT), "{text}");
            let blob = service.container_client("vhds").blob_client("disk");
            assert_eq!(blob.url().expect("a URL").as_str(), format!("{endpoint}/vhds/disk"));
        }
    }
}

#[test]
fn clients_show_where_they_are() {
    for base in ["https://acct1.blob.core.windows.net", "http://127.0.0.1:10000/acct1"] {
        let service = BlobServiceClient::new(url(base), key()).expect(base);
        let container = service.container_client("vhds");
        assert_eq!(format!("{container:?}"), format!("BlobContainerClient({base}/vhds)"));
        let blob = container.blob_client("a/b c.vhd");
        assert_eq!(format!("{blob:?}"), format!("BlobClient({base}/vhds/a/b c.vhd)"));
    }
}

#[test]
fn two_names_for_one_account_are_refused() {
    let builder = || BlobServiceClient::builder(url("https://files.contoso.example"));
    for name in ["other", "", "a/b"] {
        let error = builder().credential(key()).account_name(name).build().expect_err(name);
        assert!(error.to_string().starts_with("account name: "), "{error}");
    }
    let azure = BlobServiceClient::builder(url("https://other.blob.core.windows.net"));
    let error = azure.account_name("acct1").build().expect_err("another account").to_string();
    assert!(error.contains("another account"), "{error}");
}

#[derive(Debug)]
struct Login;

impl TokenProvider for Login {
    fn token<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<AccessToken, CredentialError>> {
        Box::pin(async { Ok(AccessToken::new("TOKEN", datetime!(2030-01-01 00:00 UTC))) })
    }
}

#[tokio::test(start_paused = true)]
async fn a_delegation_sas_is_signed_over_the_account_that_the_user_names() {
    let body = "<UserDelegationKey><SignedOid>00000000-0000-0000-0000-00000000000a</SignedOid>\
         <SignedTid>00000000-0000-0000-0000-00000000000b</SignedTid>\
         <SignedStart>2025-12-31T23:55:00Z</SignedStart>\
         <SignedExpiry>2026-01-07T23:00:00Z</SignedExpiry><SignedService>b</SignedService>\
         <SignedVersion>2026-04-06</SignedVersion><Value>U0VDUkVU</Value></UserDelegationKey>";
    let key = Step::Answer { status: 200, headers: vec![], body: body.to_owned() };
    for endpoint in ["https://files.blob.contoso.example", "https://gateway.example/base/acct1"] {
        let script = Script::new([key.clone()]);
        let clock = Clock::starting_at(datetime!(2026-01-01 00:00 UTC));
        let service = BlobServiceClient::builder(url(endpoint))
            .credential(Credential::token(Login))
            .account_name(ACCOUNT)
            .options(ClientOptions::new().transport(script.clone()).clock(clock))
            .build()
            .expect(endpoint);
        let notes = service.container_client("vhds").blob_client("notes.txt");
        let target = Script::new([started("id-1", "success")]);
        let copy = target.service().container_client("vhds").blob_client("copy.txt");
        copy.start_copy_from_uri(&notes).await.expect("started");
        let sent = target.seen()[0].headers()["x-ms-copy-source"].clone();

        let start = datetime!(2026-01-01 00:00 UTC);
        let key = service.get_user_delegation_key(start, start + time::Duration::days(1));
        let expected = UserDelegationSas::blob("vhds", "notes.txt")
            .permissions(BlobSasPermissions::new().read())
            .expires(datetime!(2026-01-07 23:00 UTC))
            .protocol(SasProtocol::Https)
            .service_version("2018-11-09".parse().expect("a version"))
            .sign(ACCOUNT, &key.await.expect("a key"))
            .expect("signs");
        let expected = format!("{endpoint}/vhds/notes.txt?{}", expected.expose());
        assert_eq!(sent.to_str().expect("text"), expected);
    }
}
