//! Headers that a request may not carry: every refusal names one, and none repeats a secret.

use super::kit::{Ask, HOST, Kit, kit, plain, source_sas};
use crate::DEFAULT_ACCOUNT;

const CONDITIONS: [(&str, &str); 5] = [
    ("if-match", "*"),
    ("if-none-match", "\"0x0\""),
    ("if-modified-since", "Wed, 31 Dec 2025 00:00:00 GMT"),
    ("if-unmodified-since", "Wed, 31 Dec 2036 00:00:00 GMT"),
    ("x-ms-if-tags", "\"a\" = '1'"),
];

fn stocked() -> Kit {
    let kit = kit(|builder| builder.accept_bearer(|token| token == "good"));
    kit.container("one");
    kit.block_blob("/one/a", b"0123456789");
    kit.page_blob("/one/p", 1);
    kit.ask("PUT", "/one/log").header("x-ms-blob-type", "AppendBlob").send().expect(201);
    kit
}

fn url(path: &str) -> String {
    format!("{HOST}/{DEFAULT_ACCOUNT}{path}?{}", source_sas(path))
}

/// Each write from a URL, by name, and whether it completes before its answer.
fn from_url<'a>(kit: &'a Kit) -> [(&'static str, Ask<'a>); 6] {
    let ask = |target| kit.ask("PUT", target).header("x-ms-copy-source", &url("/one/a"));
    let put = || ask("/one/b").header("x-ms-blob-type", "BlockBlob");
    let page = || {
        let source = kit.ask("PUT", "/one/p?comp=page").header("x-ms-copy-source", &url("/one/p"));
        let range = "bytes=0-511";
        source
            .header("x-ms-page-write", "update")
            .header("x-ms-range", range)
            .header("x-ms-source-range", range)
    };
    [
        ("blob", put()),
        ("block", ask("/one/b?comp=block&blockid=QQ==")),
        ("append", ask("/one/log?comp=appendblock")),
        ("page", page()),
        ("sync", ask("/one/b").header("x-ms-requires-sync", "true")),
        ("copy", ask("/one/b")),
    ]
}

#[test]
fn what_is_not_modelled_is_refused_by_its_name() {
    let kit = stocked();
    let list = "<BlockList/>".as_bytes();
    for (header, value, name) in [
        ("x-ms-immutability-policy-until-date", "Fri, 01 Jan 2027 00:00:00 GMT", "Immutability"),
        ("x-ms-immutability-policy-mode", "locked", "Immutability"),
        ("x-ms-legal-hold", "true", "Legal Hold"),
        ("x-ms-structured-body", "XSM/1.0; properties=crc64", "Structured bodies"),
    ] {
        let mut asks: Vec<Ask<'_>> = from_url(&kit).into_iter().map(|(_, ask)| ask).collect();
        asks.push(kit.ask("PUT", "/one/b").header("x-ms-blob-type", "BlockBlob"));
        asks.push(kit.ask("PUT", "/one/b?comp=blocklist").body(list));
        asks.push(kit.ask("GET", "/one/a"));
        for ask in asks {
            let refused = ask.header(header, value).send().refused(501, "NotImplemented");
            assert!(refused.text().contains(name), "{}", refused.text());
        }
    }
    for header in ["x-ms-default-encryption-scope", "x-ms-deny-encryption-scope-override"] {
        let create = kit.ask("PUT", "/two?restype=container").header(header, "true").send();
        create.refused(501, "NotImplemented");
    }
    kit.head("/one/b").expect(404);
    kit.ask("HEAD", "/two?restype=container").send().expect(404);
}

#[test]
fn a_version_as_a_source_is_not_taken_for_the_blob() {
    let kit = stocked();
    kit.copy("/one/a?versionid=2026-01-01T00:00:00.0000000Z", "/one/b")
        .send()
        .refused(501, "NotImplemented");
    let source = format!("{}&versionid=x", url("/one/a"));
    let put = kit.ask("PUT", "/one/b").header("x-ms-blob-type", "BlockBlob");
    let refused = put.header("x-ms-copy-source", &source).send().refused(501, "NotImplemented");
    assert!(refused.text().contains("Blob versions"), "{}", refused.text());
    kit.head("/one/b").expect(404);
}

#[test]
fn a_key_of_the_source_is_taken_by_the_writes_that_have_one() {
    let kit = stocked();
    for (name, ask) in from_url(&kit) {
        let reply = ask.source_key(1).send();
        // The source has no key, so a key that is accepted is the wrong one.
        match name {
            "sync" | "copy" => reply.refused(400, "UnsupportedHeader"),
            _ => reply.refused(409, "CannotVerifyCopySource"),
        };
    }
    for (_, ask) in from_url(&kit) {
        let old = ask.header("x-ms-version", "2026-02-06").source_key(1).send();
        old.refused(400, "UnsupportedHeader");
    }
}

#[test]
fn a_token_for_the_source_is_taken_by_what_is_over_when_it_answers() {
    let kit = stocked();
    let token = |ask: Ask<'_>| ask.header("x-ms-copy-source-authorization", "Bearer bad").send();
    for (name, ask) in from_url(&kit) {
        match name {
            "copy" => token(ask).refused(400, "UnsupportedHeader"),
            // It is accepted, and requires https.
            _ => token(ask).refused(403, "CannotVerifyCopySource"),
        };
    }
    for (_, ask) in from_url(&kit) {
        token(ask.header("x-ms-version", "2020-08-04")).refused(400, "UnsupportedHeader");
    }
    let snapshot = kit.snapshot("/one/p");
    let incremental = kit.incremental("/one/p", &snapshot, "/one/i");
    let good = incremental.header("x-ms-copy-source-authorization", "Bearer good").send();
    good.refused(400, "UnsupportedHeader");
    kit.head("/one/i").expect(404);
}

#[test]
fn a_refusal_repeats_no_secret() {
    const SECRET: &str = "c2VjcmV0";
    let kit = stocked();
    let snapshot = kit.snapshot("/one/p");
    let silent = |ask: Ask<'_>| {
        let reply = ask.send().expect(400);
        assert!(!reply.text().contains(SECRET), "{}", reply.text());
    };
    for name in
        ["x-ms-copy-source-authorization", "x-ms-source-encryption-key", "x-ms-encryption-key"]
    {
        silent(kit.incremental("/one/p", &snapshot, "/one/i").header(name, SECRET));
        silent(kit.copy("/one/a", "/one/b").header(name, SECRET));
        silent(kit.ask("GET", "/one/a").header(name, SECRET).header(name, SECRET));
    }
    let authorization = ("authorization", "SharedKey devstoreaccount1:c2VjcmV0");
    let twice = kit.ask("GET", "/one/a").unsigned().header(authorization.0, authorization.1);
    silent(twice.header(authorization.0, authorization.1));
    let long = format!("{HOST}/{DEFAULT_ACCOUNT}/one/a?sig={SECRET}&x={}", "x".repeat(2048));
    let wrong = format!("ftp://{DEFAULT_ACCOUNT}/one/a?sig={SECRET}");
    for source in [&long, &wrong] {
        silent(kit.ask("PUT", "/one/b").header("x-ms-copy-source", source));
        let ranges = kit.ask("GET", "/one/p?comp=pagelist");
        silent(ranges.header("x-ms-previous-snapshot-url", source));
    }
}

#[test]
fn what_reads_and_writes_no_content_takes_no_key_and_no_scope() {
    let kit = stocked();
    let snapshot = kit.snapshot("/one/p");
    let asks = || {
        let lease = kit.ask("PUT", "/one/p?comp=lease").header("x-ms-lease-action", "acquire");
        [
            kit.ask("PUT", "/one/a?comp=properties"),
            kit.ask("PUT", "/one/a?comp=tier").header("x-ms-access-tier", "Cool"),
            kit.ask("GET", "/one/a?comp=tags"),
            kit.ask("PUT", "/one/a?comp=tags").body(b"<Tags><TagSet/></Tags>"),
            lease.header("x-ms-lease-duration", "15"),
            kit.ask("PUT", "/one/log?comp=seal"),
            kit.ask("GET", "/one/p?comp=pagelist"),
            kit.ask("GET", "/one/a?comp=blocklist"),
            kit.incremental("/one/p", &snapshot, "/one/i"),
            kit.ask("DELETE", "/one/a"),
        ]
    };
    for ask in asks() {
        ask.key(1).send().refused(400, "UnsupportedHeader");
    }
    for ask in asks() {
        ask.header("x-ms-encryption-scope", "one").send().refused(400, "UnsupportedHeader");
    }
    for ask in asks() {
        assert!(ask.send().status < 300);
    }
}

#[test]
fn an_asynchronous_copy_takes_neither_tags_nor_a_checksum_of_its_source() {
    let kit = stocked();
    for (name, value) in [
        ("x-ms-copy-source-tag-option", "COPY"),
        ("x-ms-source-content-md5", "AAAAAAAAAAAAAAAAAAAAAA=="),
    ] {
        let copy = kit.copy("/one/a", "/one/b").header(name, value).send();
        copy.refused(400, "UnsupportedHeader");
    }
    kit.head("/one/b").expect(404);
}

#[test]
fn conditions_are_refused_where_none_is_taken() {
    let kit = stocked();
    for (name, value) in CONDITIONS {
        let source = || {
            let ask = kit.ask("PUT", "/one/b?comp=block&blockid=QQ==");
            ask.header("x-ms-copy-source", &url("/one/a"))
        };
        let abort = kit.ask("PUT", "/one/a?comp=copy&copyid=x");
        for ask in [
            kit.ask("PUT", "/one/b?comp=block&blockid=QQ==").body(b"x"),
            source(),
            abort.header("x-ms-copy-action", "abort"),
            kit.ask("GET", "/one?restype=container&comp=list"),
        ] {
            ask.header(name, value).send().refused(400, "ConditionHeadersNotSupported");
        }
        let tier = kit.ask("PUT", "/one/a?comp=tier").header("x-ms-access-tier", "Cool");
        match tier.header(name, value).send() {
            unmet if name == "x-ms-if-tags" => unmet.refused(412, "ConditionNotMet"),
            refused => refused.refused(400, "ConditionHeadersNotSupported"),
        };
        // The conditions on the source are another matter.
        source().header("x-ms-source-if-match", "*").send().expect(201);
    }
}

#[test]
fn a_timeout_is_a_number_of_seconds() {
    let kit = plain();
    kit.container("one");
    kit.block_blob("/one/a", b"a");
    kit.ask("GET", "/one/a?timeout=30").send().expect(200);
    for wrong in ["x", "-1", ""] {
        let refused = kit.ask("GET", &format!("/one/a?timeout={wrong}")).send();
        let refused = refused.refused(400, "InvalidQueryParameterValue");
        let named = "<QueryParameterName>timeout</QueryParameterName>";
        assert!(refused.text().contains(named), "{}", refused.text());
    }
}

#[test]
fn no_header_that_is_signed_may_come_twice() {
    let kit = stocked();
    for (name, value) in [
        ("range", "bytes=0-1"),
        ("if-match", "*"),
        ("content-type", "text/plain"),
        ("date", "Thu, 01 Jan 2026 00:00:00 GMT"),
        ("x-ms-meta-a", "b"),
    ] {
        let once = kit.ask("GET", "/one/a").header(name, value);
        let twice = kit.ask("GET", "/one/a").header(name, value).header(name, value);
        assert!(once.send().status < 300, "{name}");
        let refused = twice.send().refused(400, "InvalidHeaderValue");
        assert!(refused.text().contains(&format!("<HeaderName>{name}</HeaderName>")));
    }
}
