use http::HeaderName;
use serde_json::Value;

use super::*;

/// The account and the well-known key of the emulator.
fn key() -> SharedKey {
    let vectors = vectors();
    let text = |name: &str| vectors[name].as_str().expect("text").to_owned();
    SharedKey::new(&text("account"), &text("key")).expect("well formed")
}

fn vectors() -> Value {
    serde_json::from_str(include_str!("vectors.json")).expect("JSON")
}

fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        let name = HeaderName::from_bytes(name.as_bytes()).expect("a header name");
        headers.append(name, HeaderValue::from_str(value).expect("a header value"));
    }
    headers
}

/// The string to sign of this request.
fn text(method: Method, url: &str, pairs: &[(&str, &str)]) -> String {
    let mut out = Vec::new();
    let url = url.parse().expect("a URL");
    string_to_sign(&method, &url, &headers(pairs), "acct", "2026-04-06", &mut out);
    String::from_utf8(out).expect("text")
}

#[test]
fn every_vector_gives_its_string_and_its_signature() {
    let key = key();
    let vectors = vectors();
    let cases = vectors["shared_key"].as_array().expect("a list");
    assert_eq!(cases.len(), 9);
    for case in cases {
        let field = |name: &str| case[name].as_str().expect("text");
        let pairs: Vec<(&str, &str)> = case["headers"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|pair| (pair[0].as_str().expect("text"), pair[1].as_str().expect("text")))
            .collect();
        let headers = headers(&pairs);
        let version = headers["x-ms-version"].to_str().expect("text");
        let method: Method = field("method").parse().expect("a method");
        let url: Url = field("url").parse().expect("a URL");

        let mut out = Vec::new();
        string_to_sign(&method, &url, &headers, key.account(), version, &mut out);
        let text = String::from_utf8(out).expect("text");
        assert_eq!(text, field("string_to_sign"), "{}", field("id"));

        let value = key.authorization(&method, &url, &headers, version);
        assert!(value.is_sensitive());
        let expected = format!("SharedKey devstoreaccount1:{}", field("signature"));
        assert_eq!(value.to_str().expect("text"), expected, "{}", field("id"));
    }
}

#[test]
fn every_standard_header_has_its_own_line() {
    let text = text(
        Method::PUT,
        "https://acct.blob.core.windows.net/c/b",
        &[
            ("range", "11"),
            ("if-unmodified-since", "10"),
            ("if-none-match", "9"),
            ("if-match", "8"),
            ("if-modified-since", "7"),
            ("date", "6"),
            ("content-type", "5"),
            ("content-md5", "4"),
            ("content-length", "3"),
            ("content-language", "2"),
            ("content-encoding", "1"),
            ("accept", "not signed"),
            ("authorization", "not signed"),
        ],
    );
    assert_eq!(text, "PUT\n1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n/acct/c/b");
}

#[test]
fn a_date_gives_way_to_x_ms_date() {
    let url = "https://acct.blob.core.windows.net/c/b";
    let text = text(Method::GET, url, &[("date", "D"), ("x-ms-date", " X\t")]);
    assert_eq!(text, "GET\n\n\n\n\n\n\n\n\n\n\n\nx-ms-date:X\n/acct/c/b");
}

#[test]
fn a_query_is_decoded_lowered_sorted_and_joined() {
    let cases = [
        ("", ""),
        ("?", ""),
        ("?comp=list", "\ncomp:list"),
        ("?b=2&a=1&&c", "\na:1\nb:2\nc:"),
        ("?include=copy%2Csnapshots", "\ninclude:copy,snapshots"),
        ("?x=b&x=a&w=%C3%A9", "\nw:é\nx:a,b"),
        ("?COMP=List&%70refix=a%2Fb%20c", "\ncomp:List\nprefix:a/b c"),
        ("?prefix=a+b%2Bc", "\nprefix:a b+c"),
        ("?snapshot=2026-01-01T00:00:00.0000000Z", "\nsnapshot:2026-01-01T00:00:00.0000000Z"),
        ("?snapshot=2026-01-01T00%3A00%3A00.0Z", "\nsnapshot:2026-01-01T00:00:00.0Z"),
        ("?a=b=c", "\na:b=c"),
        ("?a-b=1&a=2", "\na:2\na-b:1"),
    ];
    for (query, expected) in cases {
        let text = text(Method::GET, &format!("https://acct.blob.core.windows.net/c{query}"), &[]);
        assert_eq!(text, format!("GET\n\n\n\n\n\n\n\n\n\n\n\n/acct/c{expected}"), "{query}");
    }
}

#[test]
fn a_path_is_signed_as_it_is_sent() {
    let cases = [
        ("https://acct.blob.core.windows.net", "/acct/"),
        ("https://acct.blob.core.windows.net/$root/b", "/acct/$root/b"),
        ("https://acct.blob.core.windows.net/c/a%20b/%C3%A9%25", "/acct/c/a%20b/%C3%A9%25"),
        ("http://127.0.0.1:10000/acct/c/b", "/acct/acct/c/b"),
        ("http://127.0.0.1:10000/acct-secondary/c", "/acct/acct-secondary/c"),
    ];
    for (url, expected) in cases {
        let text = text(Method::GET, url, &[]);
        assert_eq!(text.rsplit('\n').next(), Some(expected), "{url}");
    }
}

#[test]
fn headers_are_in_the_services_order() {
    let cases: [&[&str]; 7] = [
        &["meta-a_1", "meta-a_b", "meta-a1"],
        &["meta-a1", "meta-aa"],
        &["meta-aa", "meta-a-b", "meta-ac"],
        &["meta-ab", "meta-a-b"],
        &["meta-abc-d", "meta-ab-cd", "meta-a-bcd"],
        &["meta-a", "meta-a-", "meta-ab"],
        &["copy-source", "copy-source-authorization", "copy-source-tag-option", "date"],
    ];
    for sorted in cases {
        for (at, a) in sorted.iter().enumerate() {
            for (other, b) in sorted.iter().enumerate() {
                assert_eq!(service_order(a.as_bytes(), b.as_bytes()), at.cmp(&other), "{a} {b}");
            }
        }
    }
}

#[test]
fn the_services_own_headers_are_in_byte_order() {
    let mut names = [
        "access-tier",
        "blob-cache-control",
        "blob-content-length",
        "blob-content-type",
        "blob-sequence-number",
        "blob-type",
        "client-request-id",
        "content-crc64",
        "copy-action",
        "copy-source",
        "copy-source-authorization",
        "copy-source-blob-properties",
        "copy-source-tag-option",
        "date",
        "delete-snapshots",
        "encryption-algorithm",
        "encryption-key",
        "encryption-key-sha256",
        "encryption-scope",
        "file-request-intent",
        "if-sequence-number-eq",
        "if-sequence-number-le",
        "if-tags",
        "immutability-policy-mode",
        "immutability-policy-until-date",
        "lease-action",
        "lease-break-period",
        "lease-duration",
        "lease-id",
        "legal-hold",
        "page-write",
        "previous-snapshot-url",
        "proposed-lease-id",
        "range",
        "rehydrate-priority",
        "requires-sync",
        "seal-blob",
        "source-content-md5",
        "source-encryption-key",
        "source-if-match",
        "source-if-modified-since",
        "source-if-none-match",
        "source-if-tags",
        "source-if-unmodified-since",
        "source-lease-id",
        "source-range",
        "tags",
        "version",
    ];
    let expected = names;
    names.reverse();
    names.sort_unstable_by(|a, b| service_order(a.as_bytes(), b.as_bytes()));
    assert_eq!(names, expected);
}

#[test]
fn a_bad_key_or_account_is_refused_and_the_key_is_not_shown() {
    for bad in ["", "SECRET!", "U0VDUkVU=", "U0VDUkVUIA", " U0VDUkVU"] {
        let error = SharedKey::new("acct", bad).expect_err(bad).to_string();
        assert!(error.starts_with("account key: (value not shown) must"), "{error}");
        assert!(bad.is_empty() || !error.contains(bad), "{error}");
    }
    for bad in ["", "a/b", "a b", "a:b", "é", "a\n", &"a".repeat(64)] {
        let error = SharedKey::new(bad, "U0VDUkVU").expect_err(bad).to_string();
        assert!(error.starts_with("account name: "), "{error}");
    }
}

#[test]
fn a_key_is_not_shown() {
    let shown = format!("{:?}", key());
    assert_eq!(shown, r#"SharedKey { account: "devstoreaccount1", .. }"#);
}
