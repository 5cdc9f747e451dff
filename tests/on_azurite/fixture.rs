//! What tests share: a client, a container of their own, a SAS, and assertions on refusals.

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

/// A date far in the future.
pub(super) const FAR_FUTURE: OffsetDateTime = datetime!(2099-01-01 00:00 UTC);

/// A date before any write.
pub(super) const LONG_AGO: OffsetDateTime = datetime!(2020-01-01 00:00 UTC);

/// Names that break if they are not encoded, are encoded twice, or are encoded differently in the
/// URL and the signature.
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

/// A new container in `account`, for one test only.
pub(super) async fn container(azurite: &Azurite, account: &Account) -> BlobContainerClient {
    container_of(&service(azurite, account)).await
}

/// A new container of `service`, for one test only.
pub(super) async fn container_of(service: &BlobServiceClient) -> BlobContainerClient {
    let container = service.container_client(&unused_name());
    container.create().await.expect("nobody has used the name");
    container
}

/// A container name that no other test of this process uses.
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

/// `url` with `query` appended to its query.
pub(super) fn with_query(mut url: Url, query: &str) -> Url {
    let query = url.query().map_or_else(|| query.to_owned(), |own| format!("{own}&{query}"));
    url.set_query(Some(&query));
    url
}

/// Expects the service to refuse, with one of these statuses and codes.
///
/// Several are for cases in which Azurite, the documentation and the service are known to differ.
#[track_caller]
pub(super) fn assert_refused<T: Debug>(outcome: Result<T>, with: &[(u16, &str)]) -> Error {
    let error = outcome.expect_err("it is refused");
    let Error::Service(refusal) = &error else { panic!("not the service's refusal: {error:?}") };
    let found = (refusal.status.as_u16(), refusal.code.as_str());
    assert!(with.contains(&found), "{found:?} is not among {with:?}: {error}");
    error
}

/// The service's answer to a wrong signature or an expired SAS: `AuthenticationFailed`. Azurite has
/// another code for it.
pub(super) const NOT_AUTHENTIC: &[(u16, &str)] =
    &[(403, "AuthenticationFailed"), (403, "AuthorizationFailure")];

/// The service's answer to a copy whose source it cannot read, by the status of that read. Azurite,
/// where it need not authorize the read, only reports what is missing.
pub(super) const SOURCE_NOT_FOUND: &[(u16, &str)] =
    &[(404, "CannotVerifyCopySource"), (404, "BlobNotFound")];
