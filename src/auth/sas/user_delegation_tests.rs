use super::{
    tests::{EXPIRY, START, at, decoded, vector, vectors},
    user_delegation::{UserFields, string_to_sign},
    *,
};
use crate::error::Result;

const KEY_EXPIRY: &str = "2026-01-03T00:00:00Z";

/// The response of the service with the key of the vectors.
fn body(version: &str, delegated_user_tid: &str) -> String {
    let vectors = vectors();
    let value = vectors["user_delegation_key_value"].as_str().expect("text");
    format!(
        "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?><UserDelegationKey>\
         <SignedOid>00000000-0000-0000-0000-00000000000a</SignedOid>\
         <SignedTid>00000000-0000-0000-0000-00000000000b</SignedTid>\
         <SignedStart>2026-01-01T00:00:00Z</SignedStart><SignedExpiry>{KEY_EXPIRY}</SignedExpiry>\
         <SignedService>b</SignedService><SignedVersion>{version}</SignedVersion>\
         <SignedDelegatedUserTid>{delegated_user_tid}</SignedDelegatedUserTid><Novelty/>\
         <Value>{value}</Value></UserDelegationKey>"
    )
}

fn key(version: &str) -> UserDelegationKey {
    UserDelegationKey::parse(body(version, "").as_bytes()).expect("well formed")
}

type BlobSas = UserDelegationSas<BlobSasPermissions, Complete>;

fn blob(version: &str) -> BlobSas {
    UserDelegationSas::blob("src", "b.txt")
        .permissions(BlobSasPermissions::new().read())
        .expires(EXPIRY)
        .service_version(at(version))
}

fn made(sas: BlobSas, key: &UserDelegationKey) -> Result<SasToken> {
    sas.sign("devstoreaccount1", key)
}

#[test]
fn user_delegation_sas_equal_those_of_the_python_sdk() {
    const VERSION: &str = "2026-06-06";
    let newest = key(VERSION);
    let tenant = "00000000-0000-0000-0000-00000000000d";
    let delegated = UserDelegationKey::parse(body(VERSION, tenant).as_bytes()).expect("a key");
    let whole = |version: &str| {
        let sas = blob(version).starts(START).protocol(SasProtocol::Https);
        made(sas, &key(version))
    };
    let container = UserDelegationSas::container("src")
        .permissions(ContainerSasPermissions::new().list().read())
        .expires(EXPIRY)
        .authorized_object_id("00000000-0000-0000-0000-0000000000aa")
        .correlation_id("00000000-0000-0000-0000-0000000000cc")
        .service_version(at(VERSION))
        .sign("devstoreaccount1", &newest);
    let for_one = blob(VERSION).delegated_user_object_id("00000000-0000-0000-0000-00000000000e");
    let with_headers = blob(VERSION)
        .request_header("x-ms-zed", "2")
        .request_header("x-ms-test", "1")
        .request_query_parameter("timeout", "30");
    let cases = [
        ("U1", whole(VERSION)),
        ("U2", container),
        ("U3", made(for_one, &delegated)),
        ("U4", made(with_headers, &newest)),
        ("U5", whole("2025-11-05")),
        ("U6", whole("2025-01-05")),
        ("U7", whole("2020-10-02")),
        ("U8", whole("2019-12-12")),
    ];
    for (id, sas) in cases {
        let (_, signature, expected) = vector(id);
        let parameters = decoded(sas.expect(id).expose());
        assert_eq!(parameters["sig"], signature, "{id}");
        assert_eq!(parameters, expected, "{id}");
    }
}

#[test]
fn the_string_to_sign_of_a_version_has_its_layout() {
    let lines = |version: &str| {
        let fields = Fields {
            version: at(version),
            resource: Resource {
                kind: "bs",
                container: "c".into(),
                path: "b".into(),
                moment: "SNAP".into(),
                depth: None,
                stored: false,
            },
            ..Fields::default()
        };
        let text = string_to_sign(&fields, &UserFields::default(), "a", &key(version));
        text.split('\n').count()
    };
    let cases = [
        ("2018-11-09", 20),
        ("2019-12-12", 20),
        ("2020-02-10", 23),
        ("2020-10-02", 23),
        ("2020-12-06", 24),
        ("2025-05-05", 24),
        ("2025-07-05", 26),
        ("2026-02-06", 26),
        ("2026-04-06", 28),
        ("2026-10-06", 28),
    ];
    for (version, expected) in cases {
        assert_eq!(lines(version), expected, "{version}");
    }
    let (text, ..) = vector("U1");
    let fields = Fields {
        version: at("2026-06-06"),
        resource: Resource {
            kind: "b",
            container: "src".into(),
            path: "b.txt".into(),
            ..Resource::default()
        },
        permissions: "r".into(),
        start: fields::timestamp(START),
        expiry: fields::timestamp(EXPIRY),
        protocol: Some(SasProtocol::Https),
        ..Fields::default()
    };
    let made =
        string_to_sign(&fields, &UserFields::default(), "devstoreaccount1", &key("2026-06-06"));
    assert_eq!(made, text);
}

#[test]
fn names_of_required_headers_are_encoded_one_by_one() {
    let sas = blob("2026-06-06").request_header("x-ms-a b", "1").request_header("x-ms-c", "2");
    let sas = made(sas, &key("2026-06-06")).expect("signs");
    assert!(sas.expose().contains("&srh=x-ms-a%20b,x-ms-c&sig="), "{}", sas.expose());
}

#[test]
fn what_the_service_must_refuse_is_refused_before() {
    const VERSION: &str = "2026-06-06";
    const ID: &str = "00000000-0000-0000-0000-0000000000AA";
    let key = key(VERSION);
    let delegated = UserDelegationKey::parse(body(VERSION, ID).as_bytes()).expect("a key");
    let late = datetime(KEY_EXPIRY) + time::Duration::SECOND;
    let permissions = BlobSasPermissions::new().read();
    let cases = [
        (made(blob("2018-03-28"), &key), "user delegation SAS: \"b.txt\" needs service version"),
        (
            made(blob("2019-12-12").authorized_object_id(ID), &key),
            "authorized object id of a SAS: \"00000000-0000-0000-0000-0000000000AA\" needs service \
             version 2020-02-10",
        ),
        (
            made(blob(VERSION).unauthorized_object_id("me"), &key),
            "unauthorized object id of a SAS: \"me\" must be a GUID",
        ),
        (
            made(blob(VERSION).unauthorized_object_id(ID).authorized_object_id(ID), &key),
            "unauthorized object id of a SAS: \"00000000-0000-0000-0000-0000000000AA\" must not be combined",
        ),
        (
            made(blob(VERSION).correlation_id(ID), &key),
            "correlation id of a SAS: \"00000000-0000-0000-0000-0000000000AA\" must be in lower",
        ),
        (
            made(blob("2025-05-05").delegated_user_object_id(ID), &key),
            "delegated user object id of a SAS: \"00000000-0000-0000-0000-0000000000AA\" needs \
             service version 2025-07-05",
        ),
        (
            made(blob("2026-02-06").request_header("x-ms-a", "1"), &key),
            "request header of a SAS: \"x-ms-a\" needs service version 2026-04-06",
        ),
        (
            made(blob("2026-02-06").request_query_parameter("timeout", "1"), &key),
            "request query parameter of a SAS: \"timeout\" needs service version 2026-04-06",
        ),
        (
            made(blob(VERSION).request_header("x-ms-a", "1\n2"), &key),
            "request header of a SAS: \"x-ms-a=1\\n2\" must have a name",
        ),
        (
            made(blob("2026-02-06"), &delegated),
            "delegated user tenant of the user delegation key: ",
        ),
        (
            made(UserDelegationSas::blob("c", "b").permissions(permissions).expires(late), &key),
            "expiry of a SAS: \"2026-01-03T00:00:01Z\" must not be after the user delegation \
             key's, 2026-01-03T00:00:00Z",
        ),
        (
            made(UserDelegationSas::blob("", "b").permissions(permissions).expires(EXPIRY), &key),
            "container of a SAS: \"\" must not be empty",
        ),
    ];
    for (sas, expected) in cases {
        let error = sas.expect_err(expected).to_string();
        assert!(error.starts_with(expected), "{error}\n{expected}");
    }
}

fn datetime(text: &str) -> OffsetDateTime {
    OffsetDateTime::parse(text, &time::format_description::well_known::Rfc3339).expect("a date")
}

#[test]
fn a_key_is_read_and_not_shown() {
    let key = key("2026-04-06");
    assert_eq!(key.object_id(), "00000000-0000-0000-0000-00000000000a");
    assert_eq!(key.tenant_id(), "00000000-0000-0000-0000-00000000000b");
    assert_eq!(key.expires_on(), datetime(KEY_EXPIRY));
    let vectors = vectors();
    let value = vectors["user_delegation_key_value"].as_str().expect("text");
    assert!(!format!("{key:?}").contains(value));
}

#[test]
fn a_key_that_lacks_something_is_an_error() {
    let whole = body("2026-04-06", "");
    for (part, instead) in [
        ("<SignedOid>00000000-0000-0000-0000-00000000000a</SignedOid>", ""),
        ("<SignedExpiry>2026-01-03T00:00:00Z</SignedExpiry>", "<SignedExpiry>soon</SignedExpiry>"),
        ("<Value>", "<Value>not base64: SECRET"),
        ("<UserDelegationKey>", "<Other>"),
    ] {
        let damaged = whole.replace(part, instead);
        assert_ne!(damaged, whole, "{part}");
        let error = UserDelegationKey::parse(damaged.as_bytes()).expect_err(part).to_string();
        assert!(!error.contains("SECRET"), "{error}");
    }
}

#[test]
fn the_source_of_a_copy_can_be_signed_with_a_user_delegation_key() {
    let key = key("2026-06-06");
    let source = ReadOnly {
        container: "src",
        blob: "b.txt",
        snapshot: None,
        version_id: None,
        expiry: EXPIRY,
        https: false,
        newest: at("2026-06-06"),
    };
    let sas = source.sign_as_user("devstoreaccount1", &key).expect("signs");
    assert_eq!(sas, made(blob("2018-11-09"), &key).expect("signs"));
}
