//! Shared access signatures with hostile names, dates and headers.

use std::{
    fmt::{Debug, Display},
    net::Ipv4Addr,
    str::FromStr,
};

use blobcopy::{sas::*, *};

use super::{
    super::{
        driven::*,
        run::check_host,
        values::{LEASE, NOW},
    },
    Provider, Run, container,
    models::mark_type,
};

type Result<T> = std::result::Result<T, Error>;

/// Sets each field of a SAS in turn, and signs it.
macro_rules! signed {
    ($run:expr, $sas:expr, $sign:expr, [$($method:ident($($argument:expr),*)),+ $(,)?]) => {
        $(signed($run, $sign(call!($sas, $method($($argument),*))));)+
    };
}

/// A generated SAS is plain text that parses again.
fn signed(run: &Run<'_>, sas: Result<SasToken>) {
    if let Some(sas) = run.made(sas) {
        let text = sas.expose();
        assert!(text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#'), "{text}");
        assert!(SasToken::parse(text).is_ok(), "{text}");
    }
}

pub(super) fn drive(run: &Run<'_>) {
    let values = run.values;
    let key = SharedKey::new("acct", "c2VjcmV0").expect("a key");
    let read = BlobSasPermissions::new().read();
    let list = ContainerSasPermissions::new().list();
    let soon = NOW + time::Duration::HOUR;
    let sign = |sas: ServiceSas<BlobSasPermissions, Complete>| call!(sas, sign(&key));
    let done = |sas: ServiceSas<BlobSasPermissions>| {
        let sas = call!(sas, permissions(read));
        call!(sas, expires(values.date()))
    };
    signed(run, sign(done(make!(ServiceSas::blob(values.text(), values.text())))));
    let (snapshot, version) = (values.snapshot(), values.version_id());
    signed(run, sign(done(make!(ServiceSas::snapshot(values.text(), values.text(), &snapshot)))));
    signed(run, sign(done(make!(ServiceSas::version(values.text(), values.text(), &version)))));
    for sas in [
        make!(ServiceSas::container(values.text())),
        make!(ServiceSas::directory(values.text(), values.text())),
    ] {
        signed(run, sas.clone().permissions(list).expires(soon).sign(&key));
        let sas = call!(sas, stored_policy(values.text()));
        let sas = call!(call!(sas, permissions(list)), expires(values.date()));
        signed(run, sas.sign(&key));
    }
    let legal = || ServiceSas::blob("vhds", "b").permissions(read).expires(soon);
    signed!(
        run,
        legal(),
        sign,
        [
            starts(values.date()),
            ip(make!(SasIpRange::from(Ipv4Addr::from(values.small())))),
            ip(Ipv4Addr::from(values.small())..=Ipv4Addr::from(values.small())),
            protocol(SasProtocol::Https),
            encryption_scope(values.text()),
            service_version(values.text().parse().unwrap_or(ServiceVersion::OLDEST)),
            cache_control(values.text()),
            content_disposition(values.text()),
            content_encoding(values.text()),
            content_language(values.text()),
            content_type(values.text()),
        ]
    );
    account(run, &key);
    for _ in 0..4 {
        letters::<BlobSasPermissions>(run);
        letters::<ContainerSasPermissions>(run);
        letters::<AccountSasPermissions>(run);
        letters::<AccountSasServices>(run);
        letters::<AccountSasResourceTypes>(run);
    }
}

/// A set of letters that is read can be written and read again.
fn letters<T>(run: &Run<'_>)
where
    T: FromStr<Err = Error> + Debug + Display + PartialEq,
{
    mark_type::<T>("from_str");
    if let Some(set) = run.made(run.values.text().parse::<T>()) {
        assert_eq!(set.to_string().parse::<T>().expect("its own letters"), set);
    }
}

fn account(run: &Run<'_>, key: &SharedKey) {
    let values = run.values;
    let types = AccountSasResourceTypes::new().object();
    let sas = make!(AccountSas::new(types));
    let sas = call!(sas, permissions(AccountSasPermissions::new().read()));
    signed(run, call!(sas.clone(), expires(values.date())).sign(key));
    let legal = || sas.clone().expires(NOW + time::Duration::HOUR);
    let sign = |sas: AccountSas<Complete>| call!(sas, sign(key));
    signed!(
        run,
        legal(),
        sign,
        [
            services(AccountSasServices::new().blob().queue()),
            starts(values.date()),
            ip(Ipv4Addr::from(values.small())),
            protocol(SasProtocol::Https),
            encryption_scope(values.text()),
            service_version(values.text().parse().unwrap_or(ServiceVersion::OLDEST)),
        ]
    );
}

/// The SAS URLs of clients, with hostile names too.
pub(super) async fn urls(run: &Run<'_>, service: &BlobServiceClient) {
    let values = run.values;
    let soon = NOW + time::Duration::HOUR;
    let blob = container(service).blob_client("b");
    let read = BlobSasPermissions::new().read();
    let named = container(service).blob_client(&values.text());
    for url in [
        call!(&blob, sas_url(read, values.date())),
        named.sas_url(read, soon),
        blob.with_snapshot(values.snapshot()).sas_url(read, soon),
    ] {
        if let Some(url) = run.wait_for(url).await {
            check_host(&url::Url::from(&url));
        }
    }
    let (may, types) =
        (AccountSasPermissions::new().read(), AccountSasResourceTypes::new().object());
    for url in [
        call!(service, account_sas_url(may, types, values.date())),
        call!(&container(service), account_sas_url(may, types, values.date())),
        call!(&named, account_sas_url(may, types, values.date())),
        named.account_sas_url(may, types, soon),
        service.container_client(&values.text()).account_sas_url(may, types, soon),
    ] {
        if let Some(url) = run.wait_for(url).await {
            check_host(&url::Url::from(&url));
        }
    }
    each!(
        run,
        blob.account_sas_url(may, types, soon),
        [
            services(AccountSasServices::new().blob()),
            starts(values.date()),
            ip(Ipv4Addr::from(values.small())),
            protocol(SasProtocol::Https),
            encryption_scope(values.text()),
        ]
    );
    let list = ContainerSasPermissions::new().list();
    run.wait_for(call!(&container(service), sas_url(list, values.date()))).await;
    run.wait_for(service.container_client(&values.text()).sas_url(list, soon)).await;
    each!(
        run,
        blob.sas_url(read, soon),
        [
            starts(values.date()),
            ip(Ipv4Addr::from(values.small())),
            protocol(SasProtocol::Https),
            encryption_scope(values.text()),
            cache_control(values.text()),
            content_disposition(values.text()),
            content_encoding(values.text()),
            content_language(values.text()),
            content_type(values.text()),
            server_timeout(values.duration()),
            client_request_id(values.text()),
        ]
    );
}

/// User delegation keys, and what is signed with them.
pub(super) async fn delegated(run: &Run<'_>) {
    let values = run.values;
    let expiry = NOW + time::Duration::days(3);
    let provider = Provider("token".to_owned(), NOW + time::Duration::DAY);
    let service = run.service(Credential::token(provider));
    let soon = NOW + time::Duration::HOUR;
    run.wait_for(call!(&service, get_user_delegation_key(values.date(), values.date()))).await;
    run.wait_for(service.get_user_delegation_key(NOW, values.date())).await;
    each!(
        run,
        service.get_user_delegation_key(NOW, expiry),
        [
            delegated_user_tenant_id(values.text()),
            delegated_user_tenant_id(LEASE),
            server_timeout(values.duration()),
            client_request_id(values.text()),
        ]
    );
    let key = service.get_user_delegation_key(NOW, expiry).await.expect("a key");
    let read = BlobSasPermissions::new().read();
    let list = ContainerSasPermissions::new().list();
    let done = |sas: UserDelegationSas<BlobSasPermissions>| {
        call!(call!(sas, permissions(read)), expires(values.date()))
    };
    let sign = |sas: UserDelegationSas<BlobSasPermissions, Complete>| {
        call!(sas, sign(&values.text(), &key))
    };
    let (snapshot, version) = (values.snapshot(), values.version_id());
    let (name, blob) = (values.text(), values.text());
    signed(run, sign(done(make!(UserDelegationSas::blob(&*name, &*blob)))));
    signed(run, sign(done(make!(UserDelegationSas::snapshot(&*name, &*blob, &snapshot)))));
    signed(run, sign(done(make!(UserDelegationSas::version(&*name, &*blob, &version)))));
    for sas in [
        make!(UserDelegationSas::container(values.text())),
        make!(UserDelegationSas::directory(values.text(), values.text())),
    ] {
        signed(run, sas.permissions(list).expires(soon).sign("acct", &key));
    }
    let legal = || UserDelegationSas::blob("vhds", "b").permissions(read).expires(soon);
    signed!(
        run,
        legal(),
        sign,
        [
            starts(values.date()),
            ip(Ipv4Addr::from(values.small())),
            protocol(SasProtocol::Https),
            encryption_scope(values.text()),
            service_version(values.text().parse().unwrap_or(ServiceVersion::OLDEST)),
            cache_control(values.text()),
            content_disposition(values.text()),
            content_encoding(values.text()),
            content_language(values.text()),
            content_type(values.text()),
            authorized_object_id(values.text()),
            unauthorized_object_id(values.text()),
            correlation_id(values.text()),
            delegated_user_object_id(values.text()),
            request_header(values.text(), values.text()),
            request_query_parameter(values.text(), values.text()),
        ]
    );
    let blob = container(&service).blob_client("b");
    run.wait_for(blob.sas_url(read, values.date())).await;
    run.wait_for(blob.sas_url(read, soon)).await;
}
