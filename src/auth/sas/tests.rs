use std::{collections::BTreeMap, net::Ipv4Addr};

use serde_json::Value;
use time::macros::datetime;

use super::*;

pub(super) const START: OffsetDateTime = datetime!(2026-01-01 00:00 UTC);
pub(super) const EXPIRY: OffsetDateTime = datetime!(2026-01-02 00:00 UTC);

pub(super) fn vectors() -> Value {
    serde_json::from_str(include_str!("../vectors.json")).expect("JSON")
}

/// The account and the well-known key of the emulator.
pub(super) fn key() -> SharedKey {
    let vectors = vectors();
    let text = |name: &str| vectors[name].as_str().expect("text").to_owned();
    SharedKey::new(&text("account"), &text("key")).expect("well formed")
}

/// The string to sign, the signature and the token from another SDK.
pub(super) fn vector(id: &str) -> (String, String, BTreeMap<String, String>) {
    let vectors = vectors();
    let all = vectors["sas"].as_array().expect("a list");
    let vector = all.iter().find(|vector| vector["id"] == id).expect("a vector");
    let field = |name: &str| vector[name].as_str().expect("text").to_owned();
    (field("string_to_sign"), field("signature"), decoded(&field("token")))
}

/// A service version.
pub(super) fn at(version: &str) -> ServiceVersion {
    version.parse().expect("a version")
}

/// The parameters of a query, decoded.
pub(super) fn decoded(query: &str) -> BTreeMap<String, String> {
    url::form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

fn read() -> BlobSasPermissions {
    BlobSasPermissions::new().read()
}

#[test]
fn service_sas_equal_those_of_the_python_sdk() {
    let blob = |version: &str| {
        ServiceSas::blob("src", "dir/b c.txt")
            .permissions(read())
            .expires(EXPIRY)
            .starts(START)
            .protocol(SasProtocol::Https)
            .service_version(at(version))
    };
    let key = key();
    let snapshot: SnapshotId = "2025-12-31T23:59:59.1234567Z".parse().expect("a snapshot");
    let everything = ContainerSasPermissions::new().list().delete().write().create().add().read();
    let made = [
        ("S1", blob("2026-06-06").sign(&key)),
        (
            "S2",
            ServiceSas::snapshot("vhds", "disk.vhd", &snapshot)
                .permissions(read())
                .expires(EXPIRY)
                .service_version(at("2026-06-06"))
                .sign(&key),
        ),
        (
            "S3",
            ServiceSas::container("dst")
                .permissions(everything)
                .expires(EXPIRY)
                .ip(Ipv4Addr::new(168, 1, 5, 60)..=Ipv4Addr::new(168, 1, 5, 70))
                .protocol(SasProtocol::HttpsAndHttp)
                .encryption_scope("scope1")
                .content_type("text/plain")
                .service_version(at("2026-06-06"))
                .sign(&key),
        ),
        (
            "S4",
            ServiceSas::container("dst")
                .stored_policy("pol1")
                .service_version(at("2026-06-06"))
                .sign(&key),
        ),
        ("S6", blob("2019-12-12").sign(&key)),
        ("S8", blob("2026-10-06").sign(&key)),
    ];
    for (id, sas) in made {
        let (_, signature, expected) = vector(id);
        let parameters = decoded(sas.expect(id).expose());
        assert_eq!(parameters["sig"], signature, "{id}");
        assert_eq!(parameters, expected, "{id}");
    }
}

#[test]
fn the_string_to_sign_of_every_version_has_its_layout() {
    let fields = |version: &'static str| Fields {
        version: at(version),
        resource: Resource {
            kind: "bs",
            container: "c".into(),
            path: "b".into(),
            moment: "SNAP".into(),
            depth: None,
            stored: false,
        },
        permissions: "SP".into(),
        start: "ST".into(),
        expiry: "SE".into(),
        policy: "SI".into(),
        ip: Some(Ipv4Addr::new(1, 2, 3, 4).into()),
        protocol: Some(SasProtocol::Https),
        encryption_scope: "SES".into(),
        response_headers: ["CC", "CD", "CE", "CL", "CT"].map(Cow::Borrowed),
    };
    let cases = [
        ("2009-09-19", "SP ST SE /a/c/b SI"),
        ("2011-08-18", "SP ST SE /a/c/b SI"),
        ("2012-02-12", "SP ST SE /a/c/b SI 2012-02-12"),
        ("2013-08-15", "SP ST SE /a/c/b SI 2013-08-15 CC CD CE CL CT"),
        ("2014-02-14", "SP ST SE /a/c/b SI 2014-02-14 CC CD CE CL CT"),
        ("2015-02-21", "SP ST SE /blob/a/c/b SI 2015-02-21 CC CD CE CL CT"),
        ("2015-04-05", "SP ST SE /blob/a/c/b SI 1.2.3.4 https 2015-04-05 CC CD CE CL CT"),
        ("2018-03-28", "SP ST SE /blob/a/c/b SI 1.2.3.4 https 2018-03-28 CC CD CE CL CT"),
        ("2018-11-09", "SP ST SE /blob/a/c/b SI 1.2.3.4 https 2018-11-09 bs SNAP CC CD CE CL CT"),
        ("2020-10-02", "SP ST SE /blob/a/c/b SI 1.2.3.4 https 2020-10-02 bs SNAP CC CD CE CL CT"),
        (
            "2020-12-06",
            "SP ST SE /blob/a/c/b SI 1.2.3.4 https 2020-12-06 bs SNAP SES CC CD CE CL CT",
        ),
        (
            "2026-10-06",
            "SP ST SE /blob/a/c/b SI 1.2.3.4 https 2026-10-06 bs SNAP SES CC CD CE CL CT",
        ),
    ];
    for (version, expected) in cases {
        let text = service::string_to_sign(&fields(version), "a");
        assert_eq!(text, expected.replace(' ', "\n"), "{version}");
    }
}

#[test]
fn the_vectors_strings_to_sign_are_made_as_written() {
    let (text, ..) = vector("S2");
    let fields = Fields {
        version: at("2026-06-06"),
        resource: Resource {
            kind: "bs",
            container: "vhds".into(),
            path: "disk.vhd".into(),
            moment: "2025-12-31T23:59:59.1234567Z".into(),
            depth: None,
            stored: false,
        },
        permissions: "r".into(),
        expiry: fields::timestamp(EXPIRY),
        ..Fields::default()
    };
    assert_eq!(service::string_to_sign(&fields, "devstoreaccount1"), text);
}

#[test]
fn a_version_from_before_signed_versions_has_no_sv() {
    let sas = ServiceSas::blob("c", "b")
        .permissions(read())
        .expires(EXPIRY)
        .service_version(at("2011-08-18"))
        .sign(&key())
        .expect("signs");
    let parameters = decoded(sas.expose());
    let names: Vec<&str> = parameters.keys().map(String::as_str).collect();
    assert_eq!(names, ["se", "sig", "sp", "sr"]);
}

#[test]
fn a_directory_knows_its_depth() {
    for (directory, path, depth) in
        [("a/b", "/blob/acct/c/a/b", 2), ("/a/b/", "/blob/acct/c/a/b", 2), ("", "/blob/acct/c", 0)]
    {
        let sas = ServiceSas::directory("c", directory);
        assert_eq!(sas.fields().canonical_resource("acct"), path, "{directory}");
        let sas = sas.permissions(ContainerSasPermissions::new().list()).expires(EXPIRY);
        let sas = sas.sign(&key()).expect("signs");
        let parameters = decoded(sas.expose());
        assert_eq!(
            (&*parameters["sr"], &*parameters["sdd"]),
            ("d", &*depth.to_string()),
            "{directory}"
        );
    }
}

#[test]
fn what_the_service_must_refuse_is_refused_before() {
    let key = key();
    let snapshot: SnapshotId = "2025-12-31T23:59:59.1234567Z".parse().expect("a snapshot");
    let version: VersionId = "2025-12-31T23:59:59.1234567Z".parse().expect("a version");
    let blob = || ServiceSas::blob("c", "b").permissions(read()).expires(EXPIRY);
    let of = |sas: ServiceSas<BlobSasPermissions>| sas.permissions(read()).expires(EXPIRY);
    let may = |permissions| ServiceSas::blob("c", "b").permissions(permissions).expires(EXPIRY);
    let new = BlobSasPermissions::new;
    let list = ContainerSasPermissions::new().list();
    let ip = Ipv4Addr::new(1, 2, 3, 4);
    let cases = [
        (
            blob().starts(EXPIRY).sign(&key),
            "expiry of a SAS: \"2026-01-02T00:00:00Z\" must be after",
        ),
        (may(new()).sign(&key), "SAS permissions: \"\" must not be empty"),
        (
            may(new().read().tags()).service_version(at("2019-10-10")).sign(&key),
            "SAS permissions: \"rt\" has 't', which needs service version 2019-12-12",
        ),
        (
            may(new().permanent_delete()).service_version(at("2019-12-12")).sign(&key),
            "SAS permissions: \"y\" has 'y', which needs service version 2020-02-10",
        ),
        (of(ServiceSas::blob("", "b")).sign(&key), "container of a SAS: \"\" must not be empty"),
        (of(ServiceSas::blob("c/d", "b")).sign(&key), "container of a SAS: \"c/d\" must not"),
        (of(ServiceSas::blob("c", "")).sign(&key), "blob of a SAS: \"\" must be 1 to 1024"),
        (
            of(ServiceSas::blob("c", "b.")).sign(&key),
            "blob of a SAS: \"b.\" must not end with a dot",
        ),
        (
            of(ServiceSas::blob("c", "a\\b")).sign(&key),
            "blob of a SAS: \"a\\\\b\" must not hold a \\",
        ),
        (
            of(ServiceSas::blob("c", "a./b")).sign(&key),
            "blob of a SAS: \"a./b\" must not have a path",
        ),
        (
            of(ServiceSas::snapshot("c", "b", &snapshot))
                .service_version(at("2018-03-28"))
                .sign(&key),
            "SAS of a snapshot or version: \"b\" needs service version 2018-11-09 or later",
        ),
        (
            of(ServiceSas::version("c", "b", &version))
                .service_version(at("2018-03-28"))
                .sign(&key),
            "SAS of a snapshot or version: \"b\" needs service version 2018-11-09 or later",
        ),
        (
            ServiceSas::directory("c", "d")
                .permissions(list)
                .expires(EXPIRY)
                .service_version(at("2019-12-12"))
                .sign(&key),
            "SAS of a directory: \"d\" needs service version 2020-02-10 or later, not 2019-12-12",
        ),
        (
            blob().ip(ip).service_version(at("2015-02-21")).sign(&key),
            "IP range of a SAS: \"1.2.3.4\" needs service version 2015-04-05",
        ),
        (
            blob().ip(ip..=Ipv4Addr::new(1, 2, 3, 3)).sign(&key),
            "IP range of a SAS: \"1.2.3.4-1.2.3.3\" must not end before it begins",
        ),
        (
            blob().protocol(SasProtocol::Https).service_version(at("2015-02-21")).sign(&key),
            "protocol of a SAS: \"https\" needs service version 2015-04-05",
        ),
        (
            blob().encryption_scope("s").service_version(at("2020-10-02")).sign(&key),
            "encryption scope of a SAS: \"s\" needs service version 2020-12-06",
        ),
        (
            blob().cache_control("no-cache").service_version(at("2012-02-12")).sign(&key),
            "cache control of a SAS: \"no-cache\" needs service version 2013-08-15",
        ),
        (
            blob().content_disposition("a\nb").sign(&key),
            "content disposition of a SAS: \"a\\nb\" must not hold control characters",
        ),
        (
            blob()
                .starts(datetime!(2026-01-01 22:00 UTC))
                .service_version(at("2011-08-18"))
                .sign(&key),
            "expiry of a SAS: \"2026-01-02T00:00:00Z\" must be within an hour of its start",
        ),
        (
            ServiceSas::container("c").stored_policy("").sign(&key),
            "stored access policy: \"\" must be 1 to 64 characters",
        ),
        (
            ServiceSas::container("c").stored_policy("p".repeat(65)).sign(&key),
            "stored access policy: \"ppp",
        ),
    ];
    for (sas, expected) in cases {
        let error = sas.expect_err(expected).to_string();
        assert!(error.starts_with(expected), "{error}\n{expected}");
    }
}

#[test]
fn a_stored_policy_can_leave_fields_to_the_sas() {
    let sas = ServiceSas::blob("c", "b")
        .stored_policy("nightly")
        .permissions(read())
        .expires(EXPIRY)
        .sign(&key())
        .expect("signs");
    let parameters = decoded(sas.expose());
    assert_eq!((&*parameters["si"], &*parameters["sp"]), ("nightly", "r"));
    assert!(parameters.contains_key("se"));
}

#[test]
fn the_source_of_a_copy_gets_the_narrowest_sas_that_its_version_knows() {
    let key = key();
    let snapshot: SnapshotId = "2025-12-31T23:59:59.1234567Z".parse().expect("a snapshot");
    let version: VersionId = "2025-12-30T23:59:59.1234567Z".parse().expect("a version");
    let source = ReadOnly {
        container: "vhds",
        blob: "disk.vhd",
        snapshot: Some(&snapshot),
        version_id: None,
        expiry: EXPIRY,
        https: false,
        newest: at("2026-06-06"),
    };
    let expected = ServiceSas::snapshot("vhds", "disk.vhd", &snapshot)
        .permissions(read())
        .expires(EXPIRY)
        .service_version(at("2018-11-09"))
        .sign(&key)
        .expect("signs");
    assert_eq!(source.sign(&key).expect("signs"), expected);

    let cases = [
        (Some(&snapshot), None, "2026-10-06", "bs", Some("2018-11-09")),
        (Some(&snapshot), None, "2018-11-09", "bs", Some("2018-11-09")),
        (Some(&snapshot), None, "2018-03-28", "b", Some("2015-04-05")),
        (None, Some(&version), "2026-10-06", "bv", Some("2019-12-12")),
        (None, None, "2026-10-06", "b", Some("2015-04-05")),
        (None, None, "2013-08-15", "b", Some("2013-08-15")),
        (Some(&snapshot), None, "2009-09-19", "b", None),
    ];
    for (snapshot, version_id, newest, kind, sv) in cases {
        let source = ReadOnly { snapshot, version_id, newest: at(newest), https: true, ..source };
        let parameters = decoded(source.sign(&key).expect("signs").expose());
        assert_eq!((&*parameters["sr"], &*parameters["sp"]), (kind, "r"), "{newest}");
        assert_eq!(parameters.get("sv").map(|sv| &**sv), sv, "{newest}");
        let spr = sv.filter(|sv| *sv >= "2015-04-05").map(|_| "https");
        assert_eq!(parameters.get("spr").map(|spr| &**spr), spr, "{newest}");
        assert!(!parameters.contains_key("st"), "{newest}");
    }
}

#[test]
fn names_are_signed_as_they_are_and_values_are_encoded() {
    let sas = ServiceSas::blob("con", "a b/é%+#?.txt")
        .permissions(read())
        .expires(EXPIRY)
        .content_disposition("attachment; filename=\"é.txt\"");
    let fields = sas.fields();
    assert_eq!(fields.canonical_resource("acct"), "/blob/acct/con/a b/é%+#?.txt");
    let sas = sas.sign(&key()).expect("signs");
    let encoded = "rscd=attachment%3B%20filename%3D%22%C3%A9.txt%22";
    assert!(sas.expose().contains(encoded), "{}", sas.expose());
    assert!(sas.expose().is_ascii());
}

#[test]
fn a_time_is_written_in_utc_with_whole_seconds() {
    let cases = [
        (datetime!(2026-01-01 02:00 +2), "2026-01-01T00:00:00Z"),
        (datetime!(2026-12-31 23:59:59.999_999_9 UTC), "2026-12-31T23:59:59Z"),
        (datetime!(0001-02-03 04:05:06 UTC), "0001-02-03T04:05:06Z"),
        (datetime!(9999-12-31 23:59:59 -1), "9999-12-31 23:59:59.0 -01:00:00"),
    ];
    for (at, expected) in cases {
        assert_eq!(fields::timestamp(at), expected);
    }
}

#[test]
fn a_date_that_cannot_be_written_is_refused_and_not_left_out() {
    let never = datetime!(9999-12-31 23:59:59 -1);
    let rule = "must be of the years 0 to 9999, in UTC";
    let service = || ServiceSas::blob("c", "b");
    let account = AccountSas::new(AccountSasResourceTypes::new().object())
        .permissions(AccountSasPermissions::new().read());
    for (sas, what) in [
        (service().permissions(read()).expires(never).sign(&key()), "expiry"),
        (service().permissions(read()).expires(EXPIRY).starts(never).sign(&key()), "start"),
        (service().stored_policy("p").expires(never).sign(&key()), "expiry"),
        (service().stored_policy("p").starts(never).sign(&key()), "start"),
        (account.clone().expires(never).sign(&key()), "expiry"),
        (account.expires(EXPIRY).starts(never).sign(&key()), "start"),
    ] {
        let error = sas.expect_err(what).to_string();
        assert!(
            error.starts_with(&format!("{what} of a SAS: ")) && error.contains(rule),
            "{error}"
        );
    }
    // The last call wins.
    let sas = service().stored_policy("p").expires(never).expires(EXPIRY).sign(&key());
    assert!(sas.is_ok());
}

#[test]
fn every_permission_has_its_letter_in_the_services_order() {
    let all = ContainerSasPermissions::new()
        .set_immutability_policy()
        .manage_access_control()
        .manage_ownership()
        .execute()
        .move_blob()
        .filter_by_tags()
        .tags()
        .list()
        .permanent_delete()
        .delete_version()
        .delete()
        .write()
        .create()
        .add()
        .read();
    assert_eq!(all.to_string(), "racwdxyltfmeopi");
    let all = BlobSasPermissions::new()
        .set_immutability_policy()
        .manage_access_control()
        .manage_ownership()
        .execute()
        .move_blob()
        .tags()
        .permanent_delete()
        .delete_version()
        .delete()
        .write()
        .create()
        .add()
        .read();
    assert_eq!(all.to_string(), "racwdxytmeopi");
}
