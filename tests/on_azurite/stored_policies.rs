//! SAS whose permissions and expiry come from a stored access policy.

use base64::{Engine, engine::general_purpose::STANDARD};
use blobcopy::{
    BlobClient, BlobContainerClient, Credential, SasToken,
    sas::{BlobSasPermissions, ContainerSasPermissions, ServiceSas},
};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::fixture::{NOT_AUTHENTIC, assert_refused, container, key, with_query};
use crate::support::{
    azurite::{ACCOUNT, Azurite},
    web,
};

tests![
    a_policy_gives_permissions_and_times,
    a_policy_that_is_changed_or_gone_takes_its_sas_along,
    what_a_policy_leaves_open_the_sas_may_say,
];

const FOR_YEARS: (&str, &str) = ("2020-01-01T00:00:00Z", "2099-01-01T00:00:00Z");
const OVER: (&str, &str) = ("2020-01-01T00:00:00Z", "2020-01-02T00:00:00Z");

/// Replaces the container's stored policies with this one. The crate has no such operation, and no
/// SAS permits it, so this sends a raw request.
async fn store(container: &BlobContainerClient, id: &str, time: (&str, &str), letters: &str) {
    let (start, expiry) = time;
    let body = format!(
        "<SignedIdentifiers><SignedIdentifier><Id>{}</Id><AccessPolicy><Start>{start}</Start>\
         <Expiry>{expiry}</Expiry><Permission>{letters}</Permission></AccessPolicy>\
         </SignedIdentifier></SignedIdentifiers>",
        quick_xml::escape::escape(id),
    );
    let url = with_query(container.url().unwrap(), "restype=container&comp=acl");
    let date =
        httpdate::fmt_http_date(std::time::SystemTime::from(blobcopy::Clock::system().now()));
    let to_sign = format!(
        "PUT\n\n\n{}\n\n\n\n\n\n\n\n\nx-ms-date:{date}\nx-ms-version:2026-04-06\n\
         /{}{}\ncomp:acl\nrestype:container",
        body.len(),
        ACCOUNT.name,
        url.path(),
    );
    let secret = STANDARD.decode(ACCOUNT.key).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&secret).unwrap();
    mac.update(to_sign.as_bytes());
    let signature = STANDARD.encode(mac.finalize().into_bytes());
    let answer = web::client()
        .put(url)
        .header("x-ms-version", "2026-04-06")
        .header("x-ms-date", date)
        .header("authorization", format!("SharedKey {}:{signature}", ACCOUNT.name))
        .body(body)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200, "{answer:?}");
}

/// A container with a blob.
async fn filled(azurite: &Azurite) -> (BlobContainerClient, BlobClient) {
    let container = container(azurite, &ACCOUNT).await;
    let blob = container.block_blob_client("a blob");
    blob.upload("content").await.unwrap();
    (container, (*blob).clone())
}

fn blob_by(sas: &SasToken, blob: &BlobClient) -> BlobClient {
    let url = with_query(blob.url().unwrap(), sas.expose());
    BlobClient::new(url, Credential::anonymous()).unwrap()
}

fn of_blob(blob: &BlobClient, policy: &str) -> SasToken {
    let sas = ServiceSas::blob(blob.container_name(), blob.name());
    sas.stored_policy(policy).sign(&key(&ACCOUNT)).unwrap()
}

async fn a_policy_gives_permissions_and_times(azurite: &Azurite) {
    let (container, blob) = filled(azurite).await;
    store(&container, "readers of <this> & that", FOR_YEARS, "rl").await;
    let sas = of_blob(&blob, "readers of <this> & that");
    let reader = blob_by(&sas, &blob);
    assert_eq!(reader.download().await.unwrap().bytes().await.unwrap(), "content");
    assert_refused(reader.delete().await, &[(403, "AuthorizationPermissionMismatch")]);

    let sas = ServiceSas::container(container.name()).stored_policy("readers of <this> & that");
    let sas = sas.sign(&key(&ACCOUNT)).unwrap();
    let url = with_query(container.url().unwrap(), sas.expose());
    let lister = BlobContainerClient::new(url, Credential::anonymous()).unwrap();
    assert_eq!(lister.list_blobs().collect_all().await.unwrap().len(), 1);
    // A copy into another container can read with it, too.
    let copy = self::container(azurite, &ACCOUNT).await.blob_client("copy");
    copy.copy_from_uri(&reader).await.unwrap();
    assert_eq!(copy.download().await.unwrap().bytes().await.unwrap(), "content");
}

async fn a_policy_that_is_changed_or_gone_takes_its_sas_along(azurite: &Azurite) {
    let (container, blob) = filled(azurite).await;
    let reader = blob_by(&of_blob(&blob, "policy"), &blob);
    assert_refused(reader.download().await, NOT_AUTHENTIC);

    store(&container, "policy", FOR_YEARS, "r").await;
    reader.download().await.unwrap();
    store(&container, "policy", FOR_YEARS, "w").await;
    assert_refused(reader.download().await, &[(403, "AuthorizationPermissionMismatch")]);
    store(&container, "policy", OVER, "r").await;
    assert_refused(reader.download().await, NOT_AUTHENTIC);
    store(&container, "another", FOR_YEARS, "r").await;
    assert_refused(reader.download().await, NOT_AUTHENTIC);
    store(&container, "policy", FOR_YEARS, "r").await;
    reader.download().await.unwrap();
}

async fn what_a_policy_leaves_open_the_sas_may_say(azurite: &Azurite) {
    let (container, blob) = filled(azurite).await;
    store(&container, "policy", FOR_YEARS, "r").await;
    // The signature covers the fields in addition to the policy. Azurite checks the policy alone.
    let beside = ServiceSas::blob(blob.container_name(), blob.name())
        .stored_policy("policy")
        .permissions(BlobSasPermissions::new().read())
        .expires(super::fixture::FAR_FUTURE)
        .sign(&key(&ACCOUNT))
        .unwrap();
    blob_by(&beside, &blob).download().await.unwrap();
    let stretched = beside.expose().replace("sp=r", "sp=rw");
    let stretched = SasToken::parse(&stretched).unwrap();
    assert_refused(blob_by(&stretched, &blob).download().await, NOT_AUTHENTIC);
    let list = ContainerSasPermissions::new().list();
    let sas = ServiceSas::container(container.name()).stored_policy("missing").permissions(list);
    let sas = sas.sign(&key(&ACCOUNT)).unwrap();
    let url = with_query(container.url().unwrap(), sas.expose());
    let lister = BlobContainerClient::new(url, Credential::anonymous()).unwrap();
    assert_refused(lister.list_blobs().collect_all().await, NOT_AUTHENTIC);
}
