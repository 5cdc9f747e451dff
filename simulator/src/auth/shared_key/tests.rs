//! Vectors derived by hand from the service's documentation, and checked against the official
//! Python SDK where it supports the case.

use http::Extensions;
use time::macros::datetime;

use super::*;
use crate::wire::{
    op::Op,
    route::{Peer, Query, Route},
};

const KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

struct Vector {
    method: &'static str,
    url: &'static str,
    headers: &'static [(&'static str, &'static str)],
    to_sign: &'static str,
    signature: &'static str,
}

#[test]
fn every_vector_is_signed_as_documented() {
    for vector in VECTORS {
        let uri: http::Uri = vector.url.parse().unwrap();
        let headers = vector.headers.iter().map(|(name, value)| {
            let name: http::HeaderName = name.to_lowercase().parse().unwrap();
            (name, value.parse().unwrap())
        });
        let call = Call {
            op: Op::NotModelled,
            method: vector.method.parse().unwrap(),
            authority: uri.authority().cloned(),
            path: uri.path().to_owned(),
            query: Query::parse(uri.query()).unwrap(),
            headers: headers.collect(),
            body: Default::default(),
            route: Route {
                account: "devstoreaccount1".into(),
                secondary: false,
                container: None,
                blob: None,
            },
            peer: Peer::default(),
            attached: Extensions::new(),
            batch: None,
            unread: None,
            now: datetime!(2026-01-01 00:00 UTC),
        };
        let to_sign = string_to_sign(&call, "devstoreaccount1", &call.path);
        assert_eq!(to_sign, vector.to_sign, "{}", vector.url);
        let key = STANDARD.decode(KEY).unwrap();
        assert_eq!(sign(&key, &to_sign), vector.signature, "{}", vector.url);
    }
}

#[test]
fn hyphens_count_last_when_names_are_sorted() {
    let mut names = ["x-ms-meta-a1", "x-ms-meta-a_b", "x-ms-meta-a_1", "x-ms-meta", "x-ms-a-b"];
    names.sort_by(|a, b| service_order(a, b));
    assert_eq!(names, ["x-ms-a-b", "x-ms-meta", "x-ms-meta-a_1", "x-ms-meta-a_b", "x-ms-meta-a1"]);
}

const VECTORS: &[Vector] = &[
    // start copy, emulator path style, 2026-06-06
    Vector {
        method: "PUT",
        url: "http://127.0.0.1:10000/devstoreaccount1/dst/copy%20of%20b.txt?timeout=30",
        headers: &[
            ("Content-Length", "0"),
            ("If-None-Match", "*"),
            ("x-ms-date", "Thu, 01 Jan 2026 00:00:00 GMT"),
            ("x-ms-version", "2026-06-06"),
            ("x-ms-client-request-id", "9c1b0a5e-0000-4000-8000-000000000001"),
            (
                "x-ms-copy-source",
                "https://devstoreaccount1.blob.core.windows.net/src/b.txt?snapshot=2025-12-31T23:59:59.0000000Z",
            ),
            ("x-ms-meta-owner", "team a"),
            ("x-ms-access-tier", "Cool"),
            ("x-ms-source-if-match", "\"0x8DE0000000000AA\""),
        ],
        to_sign: "PUT\n\n\n\n\n\n\n\n\n*\n\n\nx-ms-access-tier:Cool\nx-ms-client-request-id:9c1b0a5e-0000-4000-8000-000000000001\nx-ms-copy-source:https://devstoreaccount1.blob.core.windows.net/src/b.txt?snapshot=2025-12-31T23:59:59.0000000Z\nx-ms-date:Thu, 01 Jan 2026 00:00:00 GMT\nx-ms-meta-owner:team a\nx-ms-source-if-match:\"0x8DE0000000000AA\"\nx-ms-version:2026-06-06\n/devstoreaccount1/devstoreaccount1/dst/copy%20of%20b.txt\ntimeout:30",
        signature: "byACcXM4lZC9ViVP5Dbs9QdIGWfCVtW1jFogR1W8VD4=",
    },
    // abort copy, host style, 2026-06-06
    Vector {
        method: "PUT",
        url: "https://devstoreaccount1.blob.core.windows.net/dst/b.txt?comp=copy&copyid=1f812371-a41d-49e6-b123-f4b542e851c5",
        headers: &[
            ("Content-Length", "0"),
            ("x-ms-date", "Thu, 01 Jan 2026 00:00:00 GMT"),
            ("x-ms-version", "2026-06-06"),
            ("x-ms-copy-action", "abort"),
            ("x-ms-lease-id", "11111111-2222-3333-4444-555555555555"),
        ],
        to_sign: "PUT\n\n\n\n\n\n\n\n\n\n\n\nx-ms-copy-action:abort\nx-ms-date:Thu, 01 Jan 2026 00:00:00 GMT\nx-ms-lease-id:11111111-2222-3333-4444-555555555555\nx-ms-version:2026-06-06\n/devstoreaccount1/dst/b.txt\ncomp:copy\ncopyid:1f812371-a41d-49e6-b123-f4b542e851c5",
        signature: "lfsn8skz7j8OgGD2XIX32dcydORBgBDi2qcy6QBz0GA=",
    },
    // list blobs, emulator, comma-joined include kept in order, 2025-11-05
    Vector {
        method: "GET",
        url: "http://127.0.0.1:10000/devstoreaccount1/src?restype=container&comp=list&include=copy%2Csnapshots%2Cmetadata&prefix=a%2Fb%20c&maxresults=2",
        headers: &[("x-ms-date", "Thu, 01 Jan 2026 00:00:00 GMT"), ("x-ms-version", "2025-11-05")],
        to_sign: "GET\n\n\n\n\n\n\n\n\n\n\n\nx-ms-date:Thu, 01 Jan 2026 00:00:00 GMT\nx-ms-version:2025-11-05\n/devstoreaccount1/devstoreaccount1/src\ncomp:list\ninclude:copy,snapshots,metadata\nmaxresults:2\nprefix:a/b c\nrestype:container",
        signature: "JftY04fZU67Uv8z0s4/+kC65R9+jodO+NltqfBBL4Uk=",
    },
    // create container, 2014-02-14: Content-Length 0 signed as `0`
    Vector {
        method: "PUT",
        url: "https://devstoreaccount1.blob.core.windows.net/mycontainer?restype=container&timeout=30",
        headers: &[
            ("Content-Length", "0"),
            ("x-ms-date", "Fri, 26 Jun 2015 23:39:12 GMT"),
            ("x-ms-version", "2014-02-14"),
        ],
        to_sign: "PUT\n\n\n0\n\n\n\n\n\n\n\n\nx-ms-date:Fri, 26 Jun 2015 23:39:12 GMT\nx-ms-version:2014-02-14\n/devstoreaccount1/mycontainer\nrestype:container\ntimeout:30",
        signature: "PrF8U10QnUMtphSxJ5kbs9ZDw8+flf1isV33fk7cN2Q=",
    },
    // same, 2015-02-21: empty
    Vector {
        method: "PUT",
        url: "https://devstoreaccount1.blob.core.windows.net/mycontainer?restype=container&timeout=30",
        headers: &[
            ("Content-Length", "0"),
            ("x-ms-date", "Fri, 26 Jun 2015 23:39:12 GMT"),
            ("x-ms-version", "2015-02-21"),
        ],
        to_sign: "PUT\n\n\n\n\n\n\n\n\n\n\n\nx-ms-date:Fri, 26 Jun 2015 23:39:12 GMT\nx-ms-version:2015-02-21\n/devstoreaccount1/mycontainer\nrestype:container\ntimeout:30",
        signature: "A2mBPmsKXlYdJx6N5ES4zp+yXTSRybyRLCm92d/P15g=",
    },
    // put page with Content-MD5 (body = 512 zero bytes), 2026-06-06
    Vector {
        method: "PUT",
        url: "https://devstoreaccount1.blob.core.windows.net/vhds/disk.vhd?comp=page",
        headers: &[
            ("Content-Length", "512"),
            ("Content-Type", "application/octet-stream"),
            ("Content-MD5", "v2GerAzfP2jUluqTRBN+iw=="),
            ("x-ms-date", "Thu, 01 Jan 2026 00:00:00 GMT"),
            ("x-ms-version", "2026-06-06"),
            ("x-ms-page-write", "update"),
            ("x-ms-range", "bytes=0-511"),
        ],
        to_sign: "PUT\n\n\n512\nv2GerAzfP2jUluqTRBN+iw==\napplication/octet-stream\n\n\n\n\n\n\nx-ms-date:Thu, 01 Jan 2026 00:00:00 GMT\nx-ms-page-write:update\nx-ms-range:bytes=0-511\nx-ms-version:2026-06-06\n/devstoreaccount1/vhds/disk.vhd\ncomp:page",
        signature: "pmgw330HW8/t5m8tpvotLyNPP0/yUMrei2TDvfFBawk=",
    },
    // HEAD with `Date` instead of `x-ms-date`
    Vector {
        method: "HEAD",
        url: "https://devstoreaccount1.blob.core.windows.net/dst/b.txt",
        headers: &[("Date", "Thu, 01 Jan 2026 00:00:00 GMT"), ("x-ms-version", "2026-06-06")],
        to_sign: "HEAD\n\n\n\n\n\nThu, 01 Jan 2026 00:00:00 GMT\n\n\n\n\n\nx-ms-version:2026-06-06\n/devstoreaccount1/dst/b.txt",
        signature: "6VHeif0bpCxCtoGpVW0wJ45fAjv9WZXkOeE3o5s2Du0=",
    },
    // snapshot with empty metadata value, 2016-05-31
    Vector {
        method: "PUT",
        url: "https://devstoreaccount1.blob.core.windows.net/dst/b.txt?comp=snapshot",
        headers: &[
            ("Content-Length", "0"),
            ("x-ms-date", "Thu, 01 Jan 2026 00:00:00 GMT"),
            ("x-ms-version", "2016-05-31"),
            ("x-ms-meta-empty", ""),
            ("x-ms-meta-k", "v"),
        ],
        to_sign: "PUT\n\n\n\n\n\n\n\n\n\n\n\nx-ms-date:Thu, 01 Jan 2026 00:00:00 GMT\nx-ms-meta-empty:\nx-ms-meta-k:v\nx-ms-version:2016-05-31\n/devstoreaccount1/dst/b.txt\ncomp:snapshot",
        signature: "a5JhYRPgWdwrecUswAXiqtFqFLPknuwWAdmLCZwymXc=",
    },
    // same under 2015-12-11: empty header dropped
    Vector {
        method: "PUT",
        url: "https://devstoreaccount1.blob.core.windows.net/dst/b.txt?comp=snapshot",
        headers: &[
            ("Content-Length", "0"),
            ("x-ms-date", "Thu, 01 Jan 2026 00:00:00 GMT"),
            ("x-ms-version", "2015-12-11"),
            ("x-ms-meta-empty", ""),
            ("x-ms-meta-k", "v"),
        ],
        to_sign: "PUT\n\n\n\n\n\n\n\n\n\n\n\nx-ms-date:Thu, 01 Jan 2026 00:00:00 GMT\nx-ms-meta-k:v\nx-ms-version:2015-12-11\n/devstoreaccount1/dst/b.txt\ncomp:snapshot",
        signature: "wHb2P8qPG40RIDUMMiN+ZDB4huxeMWoAdKtvMQPLupA=",
    },
];
