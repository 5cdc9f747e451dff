//! How a source is authorized: by the caller's choice, and as the service accepts it.

use blobcopy::{
    BlobClient, BlobContainerClient, CopySource, CopyStatus, Credential, Error, PublicAccessType,
    sas::{BlobSasPermissions, ContainerSasPermissions},
};
use url::Url;

use super::{
    fixture::{
        SOURCE_NOT_FOUND, assert_refused, blob_sas, container, container_of, container_sas,
        readable, service, service_with, unused_name, with_query,
    },
    recording::Recording,
};
use crate::support::azurite::{ACCOUNT, Account, Azurite, OTHER_ACCOUNT};

tests![
    a_client_of_another_account_brings_a_sas_that_can_only_read,
    a_url_with_a_sas_is_used_as_it_is,
    a_url_without_a_sas_is_enough_within_the_account,
    a_client_with_a_sas_lends_it,
    the_destination_may_be_known_by_a_sas_too,
    a_public_source_needs_nothing,
    a_wrong_sas_is_refused_and_not_shown,
    a_missing_source_is_told,
    a_missing_destination_is_told_before_anything_is_copied,
    a_destination_must_be_writable,
];

const CONTENT: &str = "what is copied";

/// A source in `account`, and a destination in the first account.
async fn ends(azurite: &Azurite, account: &Account) -> (BlobClient, BlobClient) {
    let source = container(azurite, account).await.block_blob_client("a source");
    source.upload(CONTENT).await.unwrap();
    let destination = container(azurite, &ACCOUNT).await.blob_client("a destination");
    ((*source).clone(), destination)
}

async fn assert_copied(source: impl Into<CopySource>, destination: &BlobClient) {
    let mut copy = destination.start_copy_from_uri(source).await.unwrap();
    copy.wait().await.unwrap();
    let content = destination.download().await.unwrap().bytes().await.unwrap();
    assert_eq!(content, CONTENT);
}

async fn a_client_of_another_account_brings_a_sas_that_can_only_read(azurite: &Azurite) {
    let source = container(azurite, &OTHER_ACCOUNT).await.block_blob_client("a source");
    source.upload(CONTENT).await.unwrap();
    let recording = Recording::default();
    let container = container_of(&service_with(azurite, &ACCOUNT, recording.options())).await;
    let destination = container.blob_client("copy");
    recording.take();
    assert_copied(&source, &destination).await;

    let sent = recording.take()[0].sent["x-ms-copy-source"].to_str().unwrap().to_owned();
    let given: Url = sent.parse().unwrap();
    assert_eq!(given.path(), source.url().unwrap().path());
    let minted = BlobClient::new(given, Credential::anonymous()).unwrap();
    assert_eq!(minted.download().await.unwrap().bytes().await.unwrap(), CONTENT);
    let may_not = [(403, "AuthorizationPermissionMismatch")];
    assert_refused(minted.block_blob_client().upload("other").await, &may_not);
    assert_refused(minted.delete().await, &may_not);

    // The service stores the source with the copy; the crate shows it without the signature.
    let state = destination.get_properties().await.unwrap().copy.unwrap();
    let signature = sent.split("sig=").nth(1).unwrap();
    assert!(!format!("{state:?}").contains(signature));
}

async fn a_url_with_a_sas_is_used_as_it_is(azurite: &Azurite) {
    for of in [ACCOUNT, OTHER_ACCOUNT] {
        let (source, destination) = ends(azurite, &of).await;
        assert_copied(readable(&of, &source), &destination).await;
    }
}

async fn a_url_without_a_sas_is_enough_within_the_account(azurite: &Azurite) {
    let (source, destination) = ends(azurite, &ACCOUNT).await;
    assert_copied(source.url().unwrap(), &destination).await;

    let (source, destination) = ends(azurite, &OTHER_ACCOUNT).await;
    let start = destination.start_copy_from_uri(source.url().unwrap()).await;
    assert_refused(start, NOT_READABLE);
    assert!(!destination.exists().await.unwrap());
}

/// The service answers with the status of its own attempt to read the source: that of the refusal,
/// or 404 so as not to reveal what exists.
const NOT_READABLE: &[(u16, &str)] = &[
    (401, "CannotVerifyCopySource"),
    (403, "CannotVerifyCopySource"),
    (404, "CannotVerifyCopySource"),
];

async fn a_client_with_a_sas_lends_it(azurite: &Azurite) {
    for of in [ACCOUNT, OTHER_ACCOUNT] {
        let (source, destination) = ends(azurite, &of).await;
        let by_url = BlobClient::new(readable(&of, &source), Credential::anonymous()).unwrap();
        assert_copied(&by_url, &destination).await;

        let sas = blob_sas(&of, &source, BlobSasPermissions::new().read());
        let sas = Credential::sas(sas.expose()).unwrap();
        let by_credential = BlobClient::new(source.url().unwrap(), sas).unwrap();
        assert_copied(&by_credential, &destination).await;
    }
}

async fn the_destination_may_be_known_by_a_sas_too(azurite: &Azurite) {
    for of in [ACCOUNT, OTHER_ACCOUNT] {
        let (source, destination) = ends(azurite, &of).await;
        let home = service(azurite, &ACCOUNT).container_client(destination.container_name());
        let write = ContainerSasPermissions::new().read().write();
        let sas = container_sas(&ACCOUNT, &home, write);
        let url = with_query(home.url().unwrap(), sas.expose());
        let by_sas = BlobContainerClient::new(url, Credential::anonymous()).unwrap();
        // The SAS of the destination does not apply to the source, which is authorized by its key.
        assert_copied(&source, &by_sas.blob_client("a destination")).await;
    }
}

async fn a_public_source_needs_nothing(azurite: &Azurite) {
    let open = service(azurite, &OTHER_ACCOUNT).container_client(&unused_name());
    open.create().public_access(PublicAccessType::Blob).await.unwrap();
    let source = open.block_blob_client("a source");
    source.upload(CONTENT).await.unwrap();
    let destination = container(azurite, &ACCOUNT).await.blob_client("copy");

    let url = source.url().unwrap();
    assert_copied(&url, &destination).await;
    let anyone = BlobClient::new(url, Credential::anonymous()).unwrap();
    assert_copied(&anyone, &destination).await;
}

async fn a_wrong_sas_is_refused_and_not_shown(azurite: &Azurite) {
    for of in [ACCOUNT, OTHER_ACCOUNT] {
        let (source, destination) = ends(azurite, &of).await;
        let of_another = container(azurite, &of).await.blob_client("another");
        let sas = blob_sas(&of, &of_another, BlobSasPermissions::new().read());
        let write_only = blob_sas(&of, &source, BlobSasPermissions::new().write());
        for sas in [sas, write_only] {
            let url = with_query(source.url().unwrap(), sas.expose());
            let start = destination.start_copy_from_uri(url).await;
            let error = assert_refused(start, &[(403, "CannotVerifyCopySource")]);
            let signature = sas.expose().split("sig=").nth(1).unwrap();
            assert!(!format!("{error} {error:?}").contains(signature));
            assert!(error.to_string().contains("SAS with read permission"), "{error}");
        }
        assert!(!destination.exists().await.unwrap());
    }
}

async fn a_missing_source_is_told(azurite: &Azurite) {
    for of in [ACCOUNT, OTHER_ACCOUNT] {
        let (source, destination) = ends(azurite, &of).await;
        let home = service(azurite, &of).container_client(source.container_name());
        let start = destination.start_copy_from_uri(&home.blob_client("missing"));
        assert_refused(start.await, SOURCE_NOT_FOUND);
        let before_it = "2020-01-01T00:00:00.0000000Z".parse::<blobcopy::SnapshotId>().unwrap();
        let start = destination.start_copy_from_uri(&source.with_snapshot(&before_it));
        assert_refused(start.await, SOURCE_NOT_FOUND);
        assert!(!destination.exists().await.unwrap());
    }
}

async fn a_missing_destination_is_told_before_anything_is_copied(azurite: &Azurite) {
    let (source, _) = ends(azurite, &ACCOUNT).await;
    let nowhere = service(azurite, &ACCOUNT).container_client(&unused_name()).blob_client("copy");
    let start = nowhere.start_copy_from_uri(&source).await;
    assert_refused(start, &[(404, "ContainerNotFound")]);
}

async fn a_destination_must_be_writable(azurite: &Azurite) {
    let (source, destination) = ends(azurite, &ACCOUNT).await;
    let url = readable(&ACCOUNT, &destination);
    let read_only = BlobClient::new(url, Credential::anonymous()).unwrap();
    let start = read_only.start_copy_from_uri(&source).await;
    assert_refused(start, &[(403, "AuthorizationPermissionMismatch")]);

    // The create permission allows creating a blob, but not overwriting one.
    let create = blob_sas(&ACCOUNT, &destination, BlobSasPermissions::new().create().read());
    let url = with_query(destination.url().unwrap(), create.expose());
    let creator = BlobClient::new(url, Credential::anonymous()).unwrap();
    let copy = creator.start_copy_from_uri(&source).await.unwrap();
    assert_eq!(copy.status(), Some(&CopyStatus::Success));
    let again: Error = assert_refused(
        creator.start_copy_from_uri(&source).await,
        // Azurite does not have its error code.
        &[(403, "UnauthorizedBlobOverwrite"), (403, "AuthorizationPermissionMismatch")],
    );
    assert!(!again.may_have_been_applied());
}
