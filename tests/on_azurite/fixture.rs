//! What a test begins with: a client, a container of its own, a SAS; and how it says which
//! refusal it expects.

use std::{
    fmt::Debug,
    sync::atomic::{AtomicUsize, Ordering},
};

use blobcopy::{
    BlobClient, BlobContainerClient, BlobServiceClient, ClientOptions, Credential, Error, Result,
    SasToken, SharedKey, sas,
};
use time::{OffsetDateTime, macros::datetime};
use url::Url;

use crate::support::azurite::{Account, Azurite};

/// A date that no test lives to see.
pub(super) const FAR_FUTURE: OffsetDateTime = datetime!(2099-01-01 00:00 UTC);

/// A date before anything was written.
pub(super) const LONG_AGO: OffsetDateTime = datetime!(2020-01-01 00:00 UTC);

/// Names that go wrong when they are encoded not at all, twice, or one way in the URL and another
/// way in the signature.
pub(super) const AWKWARD_NAMES: [&str; 14] = [
    "a folder/and one in it/disk 0.vhd",
    "slash//twice",
    "100%",
    "a%20b",
    "a%2Fb",
    "a+b",
    "a#b",
    "a?b=c&d=e",
    "quotes'\"`",
    "(a)[b]{c}<d>|^",
    "a:b;c,d@e!f$g*h=i&j",
    "größe/日本語",
    "e\u{301} is not é",
    "🙂~-._",
];

/// A client of `account`, with its key.
pub(super) fn service(azurite: &Azurite, account: &Account) -> BlobServiceClient {
    service_with(azurite, account, ClientOptions::new())
}

/// A client of `account`, with its key and `options`.
pub(super) fn service_with(
    azurite: &Azurite,
    account: &Account,
    options: ClientOptions,
) -> BlobServiceClient {
    let endpoint = azurite.endpoint(account).parse().expect("a URL");
    let key = Credential::shared_key(account.name, account.key).expect("a key");
    let client = BlobServiceClient::builder(endpoint).credential(key).options(options).build();
    client.expect("key and endpoint are of one account")
}

/// A new container in `account`, which no other test knows.
pub(super) async fn container(azurite: &Azurite, account: &Account) -> BlobContainerClient {
    container_of(&service(azurite, account)).await
}

/// A new container of `service`, which no other test knows.
pub(super) async fn container_of(service: &BlobServiceClient) -> BlobContainerClient {
    let container = service.container_client(&unused_name());
    container.create().await.expect("nobody has used the name");
    container
}

/// A container's name that no other test of this process has used.
pub(super) fn unused_name() -> String {
    static USED: AtomicUsize = AtomicUsize::new(0);
    format!("container-{}", USED.fetch_add(1, Ordering::Relaxed))
}

/// The key of `account`, to sign a SAS with.
pub(super) fn key(account: &Account) -> SharedKey {
    SharedKey::new(account.name, account.key).expect("a key")
}

/// A SAS of `account` for one blob.
pub(super) fn blob_sas(
    account: &Account,
    blob: &BlobClient,
    permissions: sas::BlobSasPermissions,
) -> SasToken {
    sas::ServiceSas::blob(blob.container_name(), blob.name())
        .permissions(permissions)
        .expires(FAR_FUTURE)
        .sign(&key(account))
        .expect("a SAS")
}

/// A SAS of `account` for a whole container.
pub(super) fn container_sas(
    account: &Account,
    container: &BlobContainerClient,
    permissions: sas::ContainerSasPermissions,
) -> SasToken {
    sas::ServiceSas::container(container.name())
        .permissions(permissions)
        .expires(FAR_FUTURE)
        .sign(&key(account))
        .expect("a SAS")
}

/// The URL of `blob` with a SAS of `account` that can read it.
pub(super) fn readable(account: &Account, blob: &BlobClient) -> Url {
    let sas = blob_sas(account, blob, sas::BlobSasPermissions::new().read());
    with_query(blob.url().expect("a legal name"), sas.expose())
}

/// `url` with `query` behind what it has.
pub(super) fn with_query(mut url: Url, query: &str) -> Url {
    let query = url.query().map_or_else(|| query.to_owned(), |own| format!("{own}&{query}"));
    url.set_query(Some(&query));
    url
}

/// Expects the service to refuse, with one of these statuses and codes.
///
/// Several are for where Azurite, the documentation and the service are known to differ.
#[track_caller]
pub(super) fn assert_refused<T: Debug>(outcome: Result<T>, with: &[(u16, &str)]) -> Error {
    let error = outcome.expect_err("it is refused");
    let Error::Service(refusal) = &error else { panic!("not the service's refusal: {error:?}") };
    let found = (refusal.status.as_u16(), refusal.code.as_str());
    assert!(with.contains(&found), "{found:?} is not among {with:?}: {error}");
    error
}

/// What the service says to a wrong signature or an expired SAS: `AuthenticationFailed`. Azurite
/// has another word for it.
pub(super) const NOT_AUTHENTIC: &[(u16, &str)] =
    &[(403, "AuthenticationFailed"), (403, "AuthorizationFailure")];

/// What the service says to a copy whose source it cannot read, by the status of that read.
/// Azurite, where it need not authorize the read, says only what is missing.
pub(super) const SOURCE_NOT_FOUND: &[(u16, &str)] =
    &[(404, "CannotVerifyCopySource"), (404, "BlobNotFound")];
