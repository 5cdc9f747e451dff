//! This crate makes the same signatures as ten versions of Microsoft's SDK for Python.

use std::net::Ipv4Addr;

use time::macros::datetime;

use super::{
    tests::{START, at, decoded, key, vectors},
    *,
};

const EXPIRY: OffsetDateTime = datetime!(2026-01-02 03:04:05 UTC);
const SNAPSHOT: &str = "2025-12-31T23:59:59.1234567Z";
const BLOB: &str = "dir/b c.txt";

/// The response of the service with the key of the script.
fn delegation_key(tenant: &str) -> UserDelegationKey {
    let vectors = vectors();
    let value = vectors["user_delegation_key_value"].as_str().expect("text");
    let body = format!(
        "<UserDelegationKey><SignedOid>00000000-0000-0000-0000-00000000000a</SignedOid>\
         <SignedTid>00000000-0000-0000-0000-00000000000b</SignedTid>\
         <SignedStart>2026-01-01T00:00:00Z</SignedStart>\
         <SignedExpiry>2026-01-03T00:00:00Z</SignedExpiry><SignedService>b</SignedService>\
         <SignedVersion>2026-01-01</SignedVersion>\
         <SignedDelegatedUserTid>{tenant}</SignedDelegatedUserTid><Value>{value}</Value>\
         </UserDelegationKey>"
    );
    UserDelegationKey::parse(body.as_bytes()).expect("well formed")
}

fn read() -> BlobSasPermissions {
    BlobSasPermissions::new().read()
}

fn list() -> ContainerSasPermissions {
    ContainerSasPermissions::new().read().list()
}

/// The response headers of the script, on a builder of either kind.
macro_rules! with_headers {
    ($sas:expr) => {
        $sas.cache_control("no-store")
            .content_disposition("attachment; filename=\"a b.txt\"")
            .content_encoding("gzip")
            .content_language("de, en")
            .content_type("text/plain; charset=utf-8")
    };
}

/// A case of the script, signed with the account key.
fn service(case: &str, version: &str) -> Option<Result<SasToken>> {
    let snapshot: SnapshotId = SNAPSHOT.parse().expect("a snapshot");
    let short = |sas: ServiceSas<BlobSasPermissions, NeedsPermissions>| {
        sas.permissions(read()).expires(EXPIRY).service_version(at(version))
    };
    let blob = |name: &str| short(ServiceSas::blob("src", name));
    let key = key();
    let sas = match case {
        "blob" => blob(BLOB).starts(START).protocol(SasProtocol::Https).sign(&key),
        "blob, write" => {
            let all = read().add().create().write().delete();
            let sas = ServiceSas::blob("src", BLOB).permissions(all).expires(EXPIRY);
            sas.service_version(at(version)).sign(&key)
        }
        "blob, headers" => with_headers!(blob(BLOB)).sign(&key),
        "blob, addresses" => {
            let addresses = Ipv4Addr::new(168, 1, 5, 60)..=Ipv4Addr::new(168, 1, 5, 70);
            blob(BLOB).ip(addresses).sign(&key)
        }
        "blob, umlaut" => blob("ä/ö+ü.txt").sign(&key),
        "blob, root" => short(ServiceSas::blob("$root", "b")).sign(&key),
        "blob, policy" => {
            let sas = ServiceSas::blob("src", BLOB).stored_policy("pol 1");
            sas.service_version(at(version)).sign(&key)
        }
        "snapshot" => short(ServiceSas::snapshot("src", BLOB, &snapshot)).sign(&key),
        "version" => {
            let version = SNAPSHOT.parse().expect("a version");
            short(ServiceSas::version("src", BLOB, &version)).sign(&key)
        }
        "scope" => blob(BLOB).encryption_scope("scope1").sign(&key),
        "container" => {
            let sas = ServiceSas::container("dst").permissions(list()).expires(EXPIRY);
            sas.starts(START).service_version(at(version)).sign(&key)
        }
        "container, policy" => {
            let sas = ServiceSas::container("dst").stored_policy("pol 1");
            sas.service_version(at(version)).sign(&key)
        }
        "directory" => {
            let sas = ServiceSas::directory("dst", "a b/c").permissions(list()).expires(EXPIRY);
            sas.service_version(at(version)).sign(&key)
        }
        "account" => {
            let types = AccountSasResourceTypes::new().service().container().object();
            let all = AccountSasPermissions::new().read().write().delete().list().add().create();
            AccountSas::new(types)
                .permissions(all)
                .expires(EXPIRY)
                .starts(START)
                .ip(Ipv4Addr::new(168, 1, 5, 60)..=Ipv4Addr::new(168, 1, 5, 70))
                .protocol(SasProtocol::Https)
                .service_version(at(version))
                .sign(&key)
        }
        _ => return None,
    };
    Some(sas)
}

/// A case of the script, signed with a user delegation key.
fn user(case: &str, version: &str) -> Option<Result<SasToken>> {
    const ACCOUNT: &str = "devstoreaccount1";
    const TENANT: &str = "00000000-0000-0000-0000-00000000000d";
    const USER: &str = "00000000-0000-0000-0000-00000000000e";
    let snapshot: SnapshotId = SNAPSHOT.parse().expect("a snapshot");
    let short = |sas: UserDelegationSas<BlobSasPermissions, NeedsPermissions>| {
        sas.permissions(read()).expires(EXPIRY).service_version(at(version))
    };
    let blob = || short(UserDelegationSas::blob("src", BLOB));
    let key = delegation_key("");
    let sas = match case {
        "user, blob" => blob().starts(START).protocol(SasProtocol::Https).sign(ACCOUNT, &key),
        "user, headers" => with_headers!(blob()).sign(ACCOUNT, &key),
        "user, snapshot" => {
            short(UserDelegationSas::snapshot("src", BLOB, &snapshot)).sign(ACCOUNT, &key)
        }
        "user, version" => {
            let version = SNAPSHOT.parse().expect("a version");
            short(UserDelegationSas::version("src", BLOB, &version)).sign(ACCOUNT, &key)
        }
        "user, scope" => blob().encryption_scope("scope1").sign(ACCOUNT, &key),
        "user, container" => {
            let sas = UserDelegationSas::container("dst").permissions(list()).expires(EXPIRY);
            sas.service_version(at(version)).sign(ACCOUNT, &key)
        }
        "user, directory" => {
            let sas = UserDelegationSas::directory("dst", "a b/c").permissions(list());
            sas.expires(EXPIRY).service_version(at(version)).sign(ACCOUNT, &key)
        }
        "user, correlation" => {
            let id = "00000000-0000-0000-0000-0000000000cc";
            blob().correlation_id(id).sign(ACCOUNT, &key)
        }
        "user, for one" => blob().delegated_user_object_id(USER).sign(ACCOUNT, &key),
        "user, for one of a tenant" => {
            blob().delegated_user_object_id(USER).sign(ACCOUNT, &delegation_key(TENANT))
        }
        "user, bound to a request" => blob()
            .request_header("x-ms-zed", "2")
            .request_header("x-ms-test", "1")
            .request_query_parameter("timeout", "30")
            .sign(ACCOUNT, &key),
        _ => return None,
    };
    Some(sas)
}

#[test]
fn every_sas_of_the_python_sdk_is_made_alike() {
    let lines = include_str!("python_sdk.txt").lines();
    let tokens = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    let mut versions = std::collections::BTreeSet::new();
    let mut compared = 0;
    for line in tokens {
        let (case, token) = line.split_once('\t').expect("a case and its token");
        let expected = decoded(token);
        let version = &expected["sv"];
        let made = service(case, version).or_else(|| user(case, version)).expect(case);
        let made = made.unwrap_or_else(|error| panic!("{case}, {version}: {error}"));
        assert_eq!(decoded(made.expose()), expected, "{case}, {version}");
        versions.insert(version.clone());
        compared += 1;
    }
    assert_eq!((versions.len(), compared), (10, 211));
}
