//! Random requests, mostly invalid: nothing panics, nothing fails with an internal error, and a
//! refused request changes nothing.

use std::env;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request};
use proptest::{collection::vec, prelude::*, sample::select};

use super::kit::{HOST, Kit};
use crate::{DEFAULT_ACCOUNT, Simulator, wire::route::Peer};

const METHODS: &[&str] = &["GET", "HEAD", "PUT", "POST", "DELETE", "PATCH", "OPTIONS", "BREW"];

const PATHS: &[&str] = &[
    "",
    "/",
    "/one",
    "/one/",
    "/one/disk",
    "/one/notes",
    "/one/log",
    "/one/new",
    "/two/x",
    "/none",
    "/UPPER/x",
    "/$root/x",
    "//",
    "/one//",
    "/one/%",
    "/one/%FF",
    "/one/a%2Fb",
    "/one/..",
];

const QUERY: &[&str] = &[
    "restype=container",
    "restype=service",
    "comp=list",
    "comp=page",
    "comp=pagelist",
    "comp=copy",
    "comp=snapshot",
    "comp=incrementalcopy",
    "comp=block",
    "comp=blocklist",
    "comp=lease",
    "comp=tier",
    "comp=tags",
    "comp=metadata",
    "comp=properties",
    "comp=acl",
    "comp=appendblock",
    "comp=userdelegationkey",
    "comp=batch",
    "comp=undelete",
    "snapshot=x",
    "snapshot=",
    "prevsnapshot=x",
    "versionid=x",
    "copyid=x",
    "copyid",
    "maxresults=0",
    "maxresults=-1",
    "maxresults=99999999999999999999",
    "marker=x",
    "timeout=x",
    "timeout=30",
    "include=copy,x",
    "delimiter=/",
    "blockid=",
    "blockid=AAAA",
    "blocklisttype=all",
    "sv=2026-04-06",
    "sv=x",
    "sig=x",
    "srt=sco",
    "skoid=x",
    "si=x",
    "sr=b",
    "sr=d",
    "sdd=9",
    "se=2099-01-01",
    "sp=rwd",
    "ss=b",
    "api-version=2011-01-01",
    "=",
    "%",
    "a=%FF",
    "&&",
];

const HEADERS: &[&str] = &[
    "x-ms-version",
    "x-ms-date",
    "authorization",
    "content-length",
    "content-md5",
    "content-type",
    "range",
    "x-ms-range",
    "x-ms-blob-type",
    "x-ms-blob-content-length",
    "x-ms-page-write",
    "x-ms-copy-source",
    "x-ms-copy-action",
    "x-ms-requires-sync",
    "x-ms-source-range",
    "x-ms-source-content-md5",
    "x-ms-copy-source-authorization",
    "x-ms-source-if-match",
    "x-ms-source-if-modified-since",
    "x-ms-lease-id",
    "x-ms-lease-action",
    "x-ms-lease-duration",
    "x-ms-lease-break-period",
    "x-ms-proposed-lease-id",
    "x-ms-access-tier",
    "x-ms-rehydrate-priority",
    "x-ms-tags",
    "x-ms-if-tags",
    "x-ms-meta-",
    "x-ms-meta-a",
    "x-ms-meta-1",
    "if-match",
    "if-none-match",
    "if-modified-since",
    "if-unmodified-since",
    "x-ms-delete-snapshots",
    "x-ms-blob-sequence-number",
    "x-ms-sequence-number-action",
    "x-ms-if-sequence-number-le",
    "x-ms-blob-public-access",
    "x-ms-client-request-id",
    "x-ms-blob-condition-appendpos",
    "x-ms-blob-condition-maxsize",
    "x-ms-previous-snapshot-url",
    "x-ms-encryption-key",
    "x-ms-encryption-key-sha256",
    "x-ms-encryption-algorithm",
    "x-ms-encryption-scope",
    "x-ms-source-encryption-key",
    "x-ms-source-encryption-key-sha256",
    "x-ms-source-encryption-algorithm",
    "x-ms-source-content-crc64",
    "x-ms-source-if-tags",
    "x-ms-content-crc64",
    "x-ms-seal-blob",
    "x-ms-copy-source-tag-option",
    "x-ms-access-tier-if-modified-since",
    "x-ms-access-tier-if-unmodified-since",
    "host",
];

const VALUES: &[&str] = &[
    "",
    " ",
    "0",
    "1",
    "-1",
    "512",
    "511",
    "18446744073709551615",
    "18446744073709551616",
    "x",
    "*",
    "true",
    "bytes=0-511",
    "bytes=512-0",
    "bytes=0-",
    "bytes=-5",
    "bytes=0-18446744073709551615",
    "bytes=18446744073709551104-18446744073709551614",
    "bytes=x-y",
    "BlockBlob",
    "PageBlob",
    "AppendBlob",
    "update",
    "clear",
    "abort",
    "include",
    "only",
    "acquire",
    "renew",
    "break",
    "release",
    "change",
    "Hot",
    "Archive",
    "P10",
    "2026-04-06",
    "2009-09-19",
    "2011-08-18",
    "k=v&k=v",
    "a=1",
    "\"a\" = '1'",
    "\"0x1\", \"0x2\"",
    "Thu, 01 Jan 2026 00:00:00 GMT",
    "v2GerAzfP2jUluqTRBN+iw==",
    "http://127.0.0.1:10000/devstoreaccount1/one/disk",
    "http://127.0.0.1:10000/devstoreaccount1/one/notes",
    "http://[::1",
    "https://x/y?z=%",
    "/devstoreaccount1/one/disk",
    "SharedKey devstoreaccount1:AAAA",
    "SharedKey",
    "Bearer",
    "Basic x",
    "container",
    "11111111-2222-3333-4444-555555555555",
    "max",
    "increment",
    "AES256",
    "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=",
    "cs1u4hV8QYajGh+R1BIWHE+4D5JQGx74OgvgV4TpL3I=",
    "AAAAAAAAAAA=",
    "COPY",
    "REPLACE",
];

#[derive(Debug, Clone)]
struct Wrong {
    method: &'static str,
    target: String,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    /// Whether to add the token that passes authorization.
    authorized: bool,
}

fn request() -> impl Strategy<Value = Wrong> {
    let value = prop_oneof![9 => select(VALUES).prop_map(str::to_owned), 1 => ".{0,40}"];
    let headers = vec((select(HEADERS), value), 0..7);
    let odd = "[ -~]{0,12}".prop_map(|text| format!("/one/{text}"));
    let path = prop_oneof![9 => select(PATHS).prop_map(str::to_owned), 1 => odd];
    let target = (path, vec(select(QUERY), 0..4))
        .prop_map(|(path, query)| format!("{path}?{}", query.join("&")));
    let body = prop_oneof![
        3 => Just(Vec::new()),
        1 => vec(any::<u8>(), 0..600),
        1 => Just(vec![7; 512]),
        1 => Just(b"<BlockList><Latest>AAAA</Latest>".to_vec()),
    ];
    (select(METHODS), target, headers, body, prop::bool::weighted(0.9)).prop_map(
        |(method, target, headers, body, authorized)| Wrong {
            method,
            target,
            headers,
            body,
            authorized,
        },
    )
}

fn cases() -> u32 {
    if env::var_os("CI").is_some() { 10_000 } else { 2000 }
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(cases())
    })]

    #[test]
    fn what_is_refused_changes_nothing_and_is_told_so(requests in vec(request(), 1..8)) {
        let kit = Kit::around(Simulator::builder().accept_bearer(|token| token == "good").build());
        kit.container("one");
        kit.page_blob("/one/disk", 8);
        kit.write_pages("/one/disk", 0, 4, 1).expect(201);
        kit.snapshot("/one/disk");
        kit.block_blob("/one/notes", b"some notes");
        for wrong in requests {
            let Some(request) = wrong.build() else { continue };
            let before = format!("{:?}", kit.sim.shared.settled().state.accounts);
            let response = kit.sim.shared.step(request).response;
            let status = response.status().as_u16();
            // Real accounts return no code there.
            let coded = wrong.method != "HEAD" || !wrong.target.contains("snapshot=");
            prop_assert!(status < 500 || status == 501, "{status} {wrong:?}");
            prop_assert!(response.headers().contains_key("x-ms-request-id"));
            if status >= 400 {
                let code = response.headers().contains_key("x-ms-error-code");
                prop_assert!(code || !coded, "{wrong:?}");
                let after = format!("{:?}", kit.sim.shared.settled().state.accounts);
                prop_assert_eq!(before, after, "{:?}", wrong);
            }
            // The promised body can be read.
            prop_assert!(response.into_body().take(64).count() <= 64);
        }
    }
}

impl Wrong {
    /// None if no HTTP library would send it.
    fn build(&self) -> Option<Request<Bytes>> {
        let uri = format!("{HOST}/{DEFAULT_ACCOUNT}{}", self.target);
        let peer = Peer { https: true, ..Peer::default() };
        let mut request = Request::builder().method(self.method).uri(uri).extension(peer);
        let has = |name| self.headers.iter().any(|(given, _)| *given == name);
        if self.authorized && !has("authorization") {
            request = request.header("authorization", "Bearer good");
        }
        if !has("x-ms-version") {
            request = request.header("x-ms-version", "2026-04-06");
        }
        if !has("content-length") && self.method != "GET" {
            request = request.header("content-length", self.body.len());
        }
        let mut request = request.body(Bytes::from(self.body.clone())).ok()?;
        for (name, value) in &self.headers {
            let value = HeaderValue::from_bytes(value.as_bytes()).ok()?;
            request.headers_mut().append(HeaderName::from_static(name), value);
        }
        Some(request)
    }
}
