//! Account SAS made by this crate, checked by Azurite.

use blobcopy::{
    BlobServiceClient, Credential, SasToken,
    sas::{AccountSas, AccountSasPermissions, AccountSasResourceTypes, SasProtocol},
};

use super::fixture::{
    FAR_FUTURE, LONG_AGO, NOT_AUTHENTIC, assert_refused, container, key, unused_name,
};
use crate::support::azurite::{ACCOUNT, Account, Azurite, OTHER_ACCOUNT};

tests![
    a_sas_of_all_types_does_what_the_key_does,
    a_source_is_read_with_the_account_sas_of_its_client,
    a_sas_is_of_its_types_of_resource,
    a_sas_allows_what_it_says_and_no_more,
    a_sas_is_of_its_time_its_protocol_and_its_account,
    every_layout_of_the_signed_text_is_accepted,
];

const MAY_NOT: &[(u16, &str)] = &[(403, "AuthorizationPermissionMismatch")];
const NOT_FOR_THIS: &[(u16, &str)] = &[(403, "AuthorizationResourceTypeMismatch")];

fn everything() -> AccountSasPermissions {
    AccountSasPermissions::new().read().write().delete().list().add().create()
}

fn sas(of: AccountSasResourceTypes, permissions: AccountSasPermissions) -> SasToken {
    let sas = AccountSas::new(of).permissions(permissions).expires(FAR_FUTURE);
    sas.sign(&key(&ACCOUNT)).unwrap()
}

/// A client of the account with only a SAS.
fn by(azurite: &Azurite, account: &Account, sas: &SasToken) -> BlobServiceClient {
    let endpoint = azurite.endpoint(account).parse().unwrap();
    BlobServiceClient::new(endpoint, Credential::sas(sas.expose()).unwrap()).unwrap()
}

async fn a_sas_of_all_types_does_what_the_key_does(azurite: &Azurite) {
    let all = AccountSasResourceTypes::new().service().container().object();
    let service = by(azurite, &ACCOUNT, &sas(all, everything()));
    let container = service.container_client(&unused_name());
    container.create().await.unwrap();
    let page = service.list_containers().prefix(container.name()).collect_all().await.unwrap();
    assert!(page.iter().any(|found| found.name == container.name()), "{page:?}");

    let disk = container.page_blob_client("a folder/a disk");
    disk.create(1024).await.unwrap();
    disk.upload_pages(0, vec![1; 512]).await.unwrap();
    // The same SAS authorizes reading a source in the same account.
    let copy = container.page_blob_client("a copy");
    copy.start_copy_from_uri(&disk).await.unwrap().wait().await.unwrap();
    let content = copy.download().await.unwrap().bytes().await.unwrap();
    assert_eq!(content, [[1; 512], [0; 512]].concat());
    assert_eq!(container.list_blobs().collect_all().await.unwrap().len(), 2);
    disk.delete().await.unwrap();
    container.delete().await.unwrap();
}

async fn a_source_is_read_with_the_account_sas_of_its_client(azurite: &Azurite) {
    let source = container(azurite, &ACCOUNT).await.block_blob_client("a source");
    source.upload("content").await.unwrap();
    let copy = container(azurite, &OTHER_ACCOUNT).await.blob_client("a copy");
    let of = |types, permissions| {
        let service = by(azurite, &ACCOUNT, &sas(types, permissions));
        service.container_client(source.container_name()).blob_client(source.name())
    };
    let object = AccountSasResourceTypes::new().object();
    let read = AccountSasPermissions::new().read();

    let unreadable = of(object, AccountSasPermissions::new().write());
    let error = copy.start_copy_from_uri(&unreadable).await.unwrap_err();
    assert_eq!(error.code().unwrap().as_str(), "CannotVerifyCopySource", "{error}");
    copy.start_copy_from_uri(&of(object, read)).await.unwrap().wait().await.unwrap();
    assert_eq!(copy.download().await.unwrap().bytes().await.unwrap(), "content");
}

async fn a_sas_is_of_its_types_of_resource(azurite: &Azurite) {
    let container = container(azurite, &ACCOUNT).await;
    container.block_blob_client("blob").upload("content").await.unwrap();
    let of = |types| by(azurite, &ACCOUNT, &sas(types, everything()));
    let here = |service: &BlobServiceClient| service.container_client(container.name());

    let objects = of(AccountSasResourceTypes::new().object());
    here(&objects).blob_client("blob").download().await.unwrap();
    assert_refused(here(&objects).list_blobs().collect_all().await, NOT_FOR_THIS);
    assert_refused(objects.list_containers().collect_all().await, NOT_FOR_THIS);

    let containers = of(AccountSasResourceTypes::new().container());
    here(&containers).list_blobs().collect_all().await.unwrap();
    assert_refused(here(&containers).blob_client("blob").download().await, NOT_FOR_THIS);
    assert_refused(containers.list_containers().collect_all().await, NOT_FOR_THIS);

    let services = of(AccountSasResourceTypes::new().service());
    services.list_containers().collect_all().await.unwrap();
    assert_refused(here(&services).list_blobs().collect_all().await, NOT_FOR_THIS);
}

async fn a_sas_allows_what_it_says_and_no_more(azurite: &Azurite) {
    let container = container(azurite, &ACCOUNT).await;
    container.block_blob_client("blob").upload("content").await.unwrap();
    let may = |permissions| {
        let types = AccountSasResourceTypes::new().container().object();
        by(azurite, &ACCOUNT, &sas(types, permissions)).container_client(container.name())
    };
    let reader = may(AccountSasPermissions::new().read());
    reader.blob_client("blob").download().await.unwrap();
    assert_refused(reader.list_blobs().collect_all().await, MAY_NOT);
    assert_refused(reader.blob_client("blob").delete().await, MAY_NOT);
    assert_refused(reader.block_blob_client("new").upload("x").await, MAY_NOT);

    let creator = may(AccountSasPermissions::new().create());
    creator.block_blob_client("new").upload("x").await.unwrap();
    let over = creator.block_blob_client("new").upload("y").await;
    // The service has its own code for it.
    assert_refused(over, &[(403, "UnauthorizedBlobOverwrite"), MAY_NOT[0]]);
    assert_refused(creator.blob_client("new").download().await, MAY_NOT);
    let content = reader.blob_client("new").download().await.unwrap().bytes().await.unwrap();
    assert_eq!(content, "x");
}

async fn a_sas_is_of_its_time_its_protocol_and_its_account(azurite: &Azurite) {
    let container = container(azurite, &ACCOUNT).await;
    let new = || {
        let types = AccountSasResourceTypes::new().container();
        AccountSas::new(types).permissions(AccountSasPermissions::new().list())
    };
    let list = async |account: &Account, sas: &SasToken| {
        by(azurite, account, sas)
            .container_client(container.name())
            .list_blobs()
            .collect_all()
            .await
    };
    let signed = |sas: AccountSas<_>| sas.sign(&key(&ACCOUNT)).unwrap();
    let good = signed(new().expires(FAR_FUTURE).starts(LONG_AGO));
    list(&ACCOUNT, &good).await.unwrap();

    let hour = time::Duration::HOUR;
    for never in [
        new().expires(LONG_AGO + hour).starts(LONG_AGO),
        new().expires(FAR_FUTURE + hour).starts(FAR_FUTURE),
    ] {
        assert_refused(list(&ACCOUNT, &signed(never)).await, NOT_AUTHENTIC);
    }
    assert_refused(list(&OTHER_ACCOUNT, &good).await, NOT_AUTHENTIC);
    let stretched = SasToken::parse(&good.expose().replace("sp=l", "sp=rl")).unwrap();
    assert_refused(list(&ACCOUNT, &stretched).await, NOT_AUTHENTIC);
    let https = signed(new().expires(FAR_FUTURE).protocol(SasProtocol::Https));
    assert_refused(list(&ACCOUNT, &https).await, &[(403, "AuthorizationProtocolMismatch")]);
}

async fn every_layout_of_the_signed_text_is_accepted(azurite: &Azurite) {
    let container = container(azurite, &ACCOUNT).await;
    let types = || AccountSasResourceTypes::new().container();
    for version in ["2018-11-09", "2020-10-02", "2020-12-06", "2026-04-06"] {
        let sas = AccountSas::new(types())
            .permissions(AccountSasPermissions::new().list().read().write())
            .expires(FAR_FUTURE)
            .starts(LONG_AGO)
            .protocol(SasProtocol::HttpsAndHttp)
            .ip(std::net::Ipv4Addr::new(0, 0, 0, 0)..=std::net::Ipv4Addr::new(255, 255, 255, 255))
            .service_version(version.parse().unwrap())
            .sign(&key(&ACCOUNT))
            .unwrap();
        let service = by(azurite, &ACCOUNT, &sas);
        service.container_client(container.name()).list_blobs().collect_all().await.expect(version);
    }
}
