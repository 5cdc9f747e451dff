//! Hostile answers: what a broken or malicious service may return.

use std::fmt;

use blobcopy::transport::TransportErrorKind;
use proptest::{collection::vec, prelude::*, sample::select};

use super::{
    face,
    values::{LEASE, SNAPSHOT, shortened},
};

/// An answer, or the event that replaces it.
#[derive(Debug, Clone)]
pub(super) enum Step {
    Answer(Box<Answer>),
    Fault(TransportErrorKind),
    Silence,
}

#[derive(Clone)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, Vec<u8>)>,
    pub(super) content: Content,
    pub(super) delivery: Delivery,
    pub(super) marker: Marker,
}

/// The content of a body.
#[derive(Debug, Clone)]
pub(super) enum Content {
    Nothing,
    Bytes(Vec<u8>),
    /// The document that the request expects, with these scalars in it, truncated somewhere.
    Document {
        scalars: Vec<String>,
        cut: Option<prop::sample::Index>,
        entries: usize,
    },
    /// Nested elements.
    Nested(usize),
    /// One element with attributes of this many bytes.
    Attributes(usize),
    /// References to entities, one after another.
    References(usize),
    /// This many copies of the same bytes.
    Long(usize),
}

/// How a body arrives.
#[derive(Debug, Clone, Copy)]
pub(super) enum Delivery {
    Whole,
    Pieces(usize),
    BreaksAfter(usize),
    StallsAfter(usize),
}

/// The next marker of a list.
#[derive(Debug, Clone, Copy)]
pub(super) enum Marker {
    None,
    /// The same marker again.
    Same,
    /// A cycle of markers.
    Circle(usize),
    /// Always a new marker, up to the test's limit.
    Ever,
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |value: &[u8]| shortened(&String::from_utf8_lossy(value));
        let headers = self.headers.iter().map(|(name, value)| format!("{name}: {}", text(value)));
        let Self { status, content, delivery, marker, .. } = self;
        let content = shortened(&format!("{content:?}"));
        write!(f, "{status} {content} {delivery:?} {marker:?} ")?;
        f.debug_list().entries(headers).finish()
    }
}

pub(super) fn steps() -> impl Strategy<Value = Vec<Step>> {
    use TransportErrorKind::{Connect, Interrupted, Timeout, Unusable};
    let step = prop_oneof![
        20 => answer().prop_map(|answer| Step::Answer(Box::new(answer))),
        1 => select(vec![Connect, Interrupted, Timeout, Unusable]).prop_map(Step::Fault),
        1 => Just(Step::Silence),
    ];
    vec(step, 1..5)
}

fn answer() -> impl Strategy<Value = Answer> {
    let parts = (status(), headers(), content(), delivery(), marker());
    parts.prop_map(|(status, headers, content, delivery, marker)| Answer {
        status,
        headers,
        content,
        delivery,
        marker,
    })
}

fn status() -> impl Strategy<Value = u16> {
    prop_oneof![
        12 => select(&[200, 201, 202, 206][..]),
        4 => select(&[304, 400, 401, 403, 404, 405, 408, 409, 412, 416, 429, 500, 503][..]),
        2 => select(&[100, 101, 203, 204, 205, 299, 300, 301, 307, 308, 501, 505, 599, 999][..]),
        1 => 100..1000_u16,
    ]
}

fn content() -> impl Strategy<Value = Content> {
    let document = (
        vec(prop_oneof![1 => scalar(), 2 => select(&WORDS[..]).prop_map(str::to_owned)], 1..9),
        prop::option::weighted(0.2, any::<prop::sample::Index>()),
        prop_oneof![20 => 0..4_usize, 1 => select(vec![4999, 5000, 5001, 20_000])],
    );
    let document =
        document.prop_map(|(scalars, cut, entries)| Content::Document { scalars, cut, entries });
    prop_oneof![
        30 => document,
        6 => Just(Content::Nothing),
        6 => vec(any::<u8>(), 0..600).prop_map(Content::Bytes),
        1 => (1..30_000_usize).prop_map(Content::Nested),
        1 => (1..300_000_usize).prop_map(Content::Attributes),
        1 => (1..10_000_usize).prop_map(Content::References),
        1 => (0..300_000_usize).prop_map(Content::Long),
    ]
}

fn delivery() -> impl Strategy<Value = Delivery> {
    prop_oneof![
        10 => Just(Delivery::Whole),
        3 => select(vec![1, 2, 7, 4096]).prop_map(Delivery::Pieces),
        2 => (0..700_usize).prop_map(Delivery::BreaksAfter),
        1 => (0..700_usize).prop_map(Delivery::StallsAfter),
    ]
}

fn marker() -> impl Strategy<Value = Marker> {
    prop_oneof![
        6 => Just(Marker::None),
        1 => Just(Marker::Same),
        1 => (2..9_usize).prop_map(Marker::Circle),
        1 => Just(Marker::Ever),
    ]
}

/// Headers as the service sends them, some missing, malformed or duplicated; or all that the crate
/// reads, each as bad as possible.
fn headers() -> impl Strategy<Value = Vec<(String, Vec<u8>)>> {
    let names = || select(header_names());
    let value = || {
        let bytes = vec(select(vec![b' ', b'\t', b'a', b'"', 0x80, 0xff]), 0..9);
        prop_oneof![12 => scalar().prop_map(String::into_bytes), 1 => bytes]
    };
    let changed =
        (vec((names(), value(), 0..3_u8), 0..7), any::<u8>()).prop_map(|(changes, some)| {
            let mut headers = well_formed();
            if some < 20 {
                headers.clear();
            }
            for (name, value, how) in changes {
                if how < 2 {
                    headers.retain(|(known, _)| *known != name);
                }
                if how > 0 {
                    headers.push((name, value));
                }
            }
            headers
        });
    let all = vec(value(), 1..6).prop_map(|values| {
        let values = values.into_iter().cycle();
        header_names().into_iter().zip(values).collect()
    });
    prop_oneof![8 => changed, 1 => all]
}

fn well_formed() -> Vec<(String, Vec<u8>)> {
    let pair = |(name, value): (&str, &str)| (name.to_owned(), value.as_bytes().to_vec());
    WELL_FORMED.into_iter().map(pair).collect()
}

const WELL_FORMED: [(&str, &str); 22] = [
    ("etag", "\"0x1\""),
    ("date", "Thu, 01 Jan 2026 00:00:00 GMT"),
    ("last-modified", "Thu, 01 Jan 2026 00:00:00 GMT"),
    ("content-length", "64"),
    ("content-range", "bytes 0-63/1024"),
    ("content-type", "application/octet-stream"),
    ("x-ms-blob-content-length", "1024"),
    ("x-ms-blob-type", "PageBlob"),
    ("x-ms-blob-sequence-number", "7"),
    ("x-ms-request-id", "r-1"),
    ("x-ms-error-code", "ServerBusy"),
    ("x-ms-snapshot", SNAPSHOT),
    ("x-ms-version-id", SNAPSHOT),
    ("x-ms-lease-id", LEASE),
    ("x-ms-lease-time", "7"),
    ("x-ms-copy-id", "c-1"),
    ("x-ms-copy-status", "pending"),
    ("x-ms-copy-progress", "10/1024"),
    ("x-ms-copy-source", "https://acct.blob.core.windows.net/vhds/b"),
    ("x-ms-copy-destination-snapshot", SNAPSHOT),
    ("x-ms-meta-name", "value"),
    ("x-ms-or-policy_rule", "complete"),
];

/// Every header that the crate mentions, and some of HTTP.
fn header_names() -> Vec<String> {
    const OTHERS: [&str; 20] = [
        "cache-control",
        "connection",
        "content-disposition",
        "content-encoding",
        "content-language",
        "content-length",
        "content-md5",
        "content-range",
        "content-type",
        "date",
        "etag",
        "last-modified",
        "location",
        "retry-after",
        "retry-after-ms",
        "transfer-encoding",
        "www-authenticate",
        "x-ms-meta-a-b",
        "x-ms-or-",
        "x-ms-copy-",
    ];
    let mut names: Vec<String> = face::service_headers().to_vec();
    names.extend(OTHERS.map(str::to_owned));
    names
}

/// Possible values of headers and elements.
const WORDS: [&str; 24] = [
    "true",
    "false",
    "0",
    "511",
    "512",
    "1023",
    "1/1024",
    "1024/1024",
    "pending",
    "success",
    "failed",
    "aborted",
    "c-1",
    "PageBlob",
    "Hot",
    "leased",
    "YmxvY2s=",
    "\"0x1\"",
    "bytes 0-63/64",
    "Thu, 01 Jan 2026 00:00:00 GMT",
    "2026-01-01T00:00:00Z",
    "00000000-0000-0000-0000-00000000000a",
    SNAPSHOT,
    "https://acct.blob.core.windows.net/vhds/b?sig=abc",
];

const HOSTILE: [&str; 58] = [
    "",
    " ",
    "-0",
    "-1",
    "+1",
    " 5 ",
    "1.5",
    "1e9",
    "0x10",
    "NaN",
    "inf",
    "1,2",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551104",
    "18446744073709551615",
    "18446744073709551616",
    "4294967295",
    "99999999999999999999999999999999",
    "18446744073709551615/18446744073709551615",
    "18446744073709551615/0",
    "5/",
    "/5",
    "5/5/5",
    "1024/10",
    "bytes 18446744073709551615-18446744073709551615/18446744073709551615",
    "bytes 0-18446744073709551615/*",
    "bytes 63-0/64",
    "bytes */0",
    "bytes 0-/64",
    "bytes -1-63/64",
    "pages 0-63/64",
    "Fri, 31 Dec 9999 23:59:59 GMT",
    "Sat, 01 Jan 0000 00:00:00 GMT",
    "Mon, 01 Jan 0001 00:00:00 GMT",
    "Thu, 32 Jan 2026 25:61:61 GMT",
    "Thu Jan  1 00:00:00 2026",
    "9999-12-31T23:59:59.9999999Z",
    "9999-12-31T23:59:59-23:59",
    "0000-01-01T00:00:00+23:59",
    "-9999-01-01T00:00:00Z",
    "2026-01-01T00:00:00Z/..",
    "TRUE",
    "yes",
    "*",
    "W/\"x\"",
    "\"a\"b\"",
    "00000000-0000-0000-0000-00000000000g",
    "not base64!",
    "Bearer authorization_uri=https://login.microsoftonline.com/00000000-0000-0000-0000-00000000000a/x",
    "Bearer authorization_uri=https://evil.example.com/x resource_id=https://storage.azure.com",
    "Bearer authorization_uri=,,,===\"\"\"",
    "https://[::1",
    "//..//%zz?sig=x&&&=&sig",
    "sig=sig=sig=sig=",
    "604800",
    "864000000",
    "\u{202e}\u{fffe}\u{85}größe",
];

fn scalar() -> impl Strategy<Value = String> {
    let long = (select(&HOSTILE[..]), 100..6000_usize)
        .prop_map(|(unit, length)| unit.repeat(length / unit.len().max(1)));
    prop_oneof![
        12 => select(&HOSTILE[..]).prop_map(str::to_owned),
        6 => select(&WORDS[..]).prop_map(str::to_owned),
        1 => any::<u64>().prop_map(|number| number.to_string()),
        1 => vec(any::<char>(), 0..20).prop_map(String::from_iter),
        1 => long,
    ]
}
