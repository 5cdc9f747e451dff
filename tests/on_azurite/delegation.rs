//! Bearer tokens over https, and user delegation SAS.

use std::{path::Path, sync::OnceLock};

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use blobcopy::{
    AccessToken, BlobClient, BlobServiceClient, ClientOptions, Clock, Credential, CredentialError,
    TokenProvider,
    sas::{BlobSasPermissions, SasProtocol, UserDelegationSas},
    transport::BoxFuture,
};
use rustls::pki_types::CertificateDer;
use time::{Duration, OffsetDateTime};

use super::{
    fixture::{NOT_AUTHENTIC, assert_refused, container_of, with_query},
    recording::Recording,
};
use crate::support::{
    azurite::{ACCOUNT, Account, Azurite, OTHER_ACCOUNT},
    install::Absent,
    referees::Referee,
    web,
};

tests![
    a_bearer_token_is_taken_over_https,
    a_sas_that_an_identity_signs_is_accepted,
    a_source_of_another_account_is_read_with_such_a_sas,
];

/// The newest version whose SAS this Azurite supports: from 2026-04-06 on, two more lines are
/// signed.
const NEWEST: &str = "2025-11-05";

/// An emulator that serves https, and its certificate.
struct Secure {
    azurite: Azurite,
    certificate: CertificateDer<'static>,
}

impl Referee for Secure {
    fn shared() -> Result<&'static Self, Absent> {
        static SHARED: OnceLock<Secure> = OnceLock::new();
        // Once it is known to be installed.
        Azurite::shared()?;
        Ok(SHARED.get_or_init(Self::start))
    }
}

impl Secure {
    fn start() -> Self {
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        let certificate = pem("CERTIFICATE", made.cert.der());
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let file = |kind| folder.join(format!("azurite-{}.{kind}", std::process::id()));
        let (of_certificate, of_key) = (file("cert"), file("key"));
        std::fs::write(&of_certificate, &certificate).unwrap();
        let key = pem("PRIVATE KEY", &made.signing_key.serialize_der());
        std::fs::write(&of_key, key).unwrap();
        let azurite = Azurite::start_https(&of_certificate, &of_key).unwrap();
        // Azurite has read both by now.
        std::fs::remove_file(of_certificate).unwrap();
        std::fs::remove_file(of_key).unwrap();
        Self { azurite, certificate: made.cert.der().clone() }
    }

    fn options(&self) -> ClientOptions {
        let client = web::trusting(Some(self.certificate.clone())).no_proxy().build().unwrap();
        Recording::over(client).options().service_version(NEWEST.parse().unwrap())
    }

    fn service(&self, account: &Account, credential: Credential) -> BlobServiceClient {
        let endpoint = self.azurite.endpoint(account).parse().unwrap();
        let client = BlobServiceClient::builder(endpoint).credential(credential);
        client.options(self.options()).build().unwrap()
    }

    /// A client with only a SAS.
    fn by(&self, sas: &blobcopy::SasToken, blob: &BlobClient) -> BlobClient {
        let url = with_query(blob.url().unwrap(), sas.expose());
        BlobClient::builder(url).options(self.options()).build().unwrap()
    }
}

fn pem(what: &str, der: &[u8]) -> String {
    let lines = STANDARD.encode(der);
    let lines: Vec<_> =
        lines.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {what}-----\n{}\n-----END {what}-----\n", lines.join("\n"))
}

/// A token in Entra's format. Azurite checks everything except its signature.
#[derive(Debug)]
struct Identity {
    audience: &'static str,
}

impl TokenProvider for Identity {
    fn token(&self, _: &str) -> BoxFuture<'_, Result<AccessToken, CredentialError>> {
        let now = Clock::system().now();
        let expires = now + Duration::HOUR;
        let claims = serde_json::json!({
            "aud": self.audience,
            "iss": "https://sts.windows.net/00000000-0000-0000-0000-00000000000b/",
            "iat": (now - Duration::MINUTE).unix_timestamp(),
            "nbf": (now - Duration::MINUTE).unix_timestamp(),
            "exp": expires.unix_timestamp(),
            "oid": "00000000-0000-0000-0000-00000000000a",
            "tid": "00000000-0000-0000-0000-00000000000b",
        });
        let part = |json: &serde_json::Value| URL_SAFE_NO_PAD.encode(json.to_string());
        let head = part(&serde_json::json!({ "alg": "RS256", "typ": "JWT" }));
        let token = format!("{head}.{}.{}", part(&claims), URL_SAFE_NO_PAD.encode("unchecked"));
        Box::pin(async move { Ok(AccessToken::new(token, expires)) })
    }
}

fn identity() -> Credential {
    Credential::token(Identity { audience: "https://storage.azure.com" })
}

fn now() -> OffsetDateTime {
    Clock::system().now()
}

async fn a_bearer_token_is_taken_over_https(secure: &Secure) {
    let container = container_of(&secure.service(&ACCOUNT, identity())).await;
    let blob = container.block_blob_client("a blob");
    blob.upload("content").await.unwrap();
    assert_eq!(blob.download().await.unwrap().bytes().await.unwrap(), "content");

    let stranger = Credential::token(Identity { audience: "https://vault.azure.net" });
    let stranger = secure.service(&ACCOUNT, stranger).container_client(container.name());
    assert_refused(stranger.list_blobs().collect_all().await, NOT_AUTHENTIC);
}

async fn a_sas_that_an_identity_signs_is_accepted(secure: &Secure) {
    let service = secure.service(&ACCOUNT, identity());
    let container = container_of(&service).await;
    let blob = container.block_blob_client("a folder/a blob 100%");
    blob.upload("content").await.unwrap();
    let (start, expiry) = (now() - Duration::HOUR, now() + Duration::HOUR);
    let key = service.get_user_delegation_key(start, expiry).await.unwrap();
    assert_eq!(key.object_id(), "00000000-0000-0000-0000-00000000000a");

    for version in ["2018-11-09", "2020-02-10", "2020-12-06", "2025-07-05", NEWEST] {
        let sas = UserDelegationSas::blob(blob.container_name(), blob.name())
            .permissions(BlobSasPermissions::new().read())
            .expires(now() + Duration::minutes(30))
            .starts(now() - Duration::minutes(30))
            .protocol(SasProtocol::Https)
            .content_type("text/x-sas")
            .service_version(version.parse().unwrap())
            .sign(ACCOUNT.name, &key)
            .unwrap();
        let reader = secure.by(&sas, &blob);
        let read = reader.download().await.unwrap_or_else(|error| panic!("{version}: {error}"));
        assert_eq!(read.properties.content_type.as_deref(), Some("text/x-sas"), "{version}");
        assert_eq!(read.bytes().await.unwrap(), "content", "{version}");
        assert_refused(reader.delete().await, &[(403, "AuthorizationPermissionMismatch")]);
        let other = secure.by(&sas, &container.blob_client("another"));
        assert_refused(other.download().await, NOT_AUTHENTIC);
    }
}

async fn a_source_of_another_account_is_read_with_such_a_sas(secure: &Secure) {
    let source = container_of(&secure.service(&ACCOUNT, identity())).await;
    let source = source.page_blob_client("disk");
    source.create(1024).await.unwrap();
    source.upload_pages(512, vec![1; 512]).await.unwrap();
    let shared_key = Credential::shared_key(OTHER_ACCOUNT.name, OTHER_ACCOUNT.key).unwrap();
    let destination = container_of(&secure.service(&OTHER_ACCOUNT, shared_key)).await;
    let copy = destination.page_blob_client("copy");

    copy.start_copy_from_uri(&source).await.unwrap().wait().await.unwrap();
    let content = copy.download().await.unwrap().bytes().await.unwrap();
    assert_eq!(content, [[0; 512], [1; 512]].concat());
}
