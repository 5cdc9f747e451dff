//! Requests with one thing wrong: each is refused, nothing breaks, and nothing changes.

use super::kit::{HOST, Kit, plain, source_sas};
use crate::{DEFAULT_ACCOUNT, Op};

/// Method, target, headers and body.
type Template = (&'static str, &'static str, &'static [(&'static str, &'static str)], &'static str);

/// Every operation, as a request that would succeed.
const REQUESTS: [Template; 33] = [
    ("GET", "?comp=list", &[], ""),
    ("PUT", "/new?restype=container", &[], ""),
    ("GET", "/one?restype=container", &[], ""),
    ("GET", "/one?restype=container&comp=metadata", &[], ""),
    ("PUT", "/one?restype=container&comp=metadata", &[], ""),
    ("GET", "/one?restype=container&comp=acl", &[], ""),
    ("PUT", "/one?restype=container&comp=acl", &[], ""),
    ("PUT", "/one?restype=container&comp=lease", ACQUIRE, ""),
    ("GET", "/one?restype=container&comp=list", &[], ""),
    ("PUT", "/one/a", &[("x-ms-blob-type", "BlockBlob")], "body"),
    ("PUT", "/one/a", &[("x-ms-blob-type", "BlockBlob"), SOURCE], ""),
    ("PUT", "/one/a", &[SOURCE], ""),
    ("PUT", "/one/a", &[SOURCE, ("x-ms-requires-sync", "true")], ""),
    ("PUT", "/one/i?comp=incrementalcopy", &[SOURCE], ""),
    (
        "PUT",
        "/one/a?comp=copy&copyid=1f812371-a41d-49e6-b123-f4b542e851c5",
        &[("x-ms-copy-action", "abort")],
        "",
    ),
    ("GET", "/one/a", &[], ""),
    ("HEAD", "/one/a", &[], ""),
    ("GET", "/one/a?comp=metadata", &[], ""),
    ("PUT", "/one/a?comp=metadata", &[], ""),
    ("PUT", "/one/p?comp=properties", &[], ""),
    ("GET", "/one/a?comp=tags", &[], ""),
    ("PUT", "/one/a?comp=tags", &[], "<Tags><TagSet/></Tags>"),
    ("PUT", "/one/a?comp=tier", &[("x-ms-access-tier", "Cool")], ""),
    ("PUT", "/one/a?comp=lease", ACQUIRE, ""),
    ("PUT", "/one/a?comp=snapshot", &[], ""),
    ("DELETE", "/one/a", &[], ""),
    ("PUT", "/one/a?comp=block&blockid=QQ==", &[], "body"),
    ("PUT", "/one/a?comp=block&blockid=QQ==", &[SOURCE], ""),
    ("PUT", "/one/a?comp=blocklist", &[], "<BlockList/>"),
    ("GET", "/one/a?comp=blocklist", &[], ""),
    ("PUT", "/one/log?comp=appendblock", &[], "body"),
    ("PUT", "/one/p?comp=page", &[("x-ms-page-write", "clear"), ("range", "bytes=0-511")], ""),
    ("GET", "/one/p?comp=pagelist", &[], ""),
];
const ACQUIRE: &[(&str, &str)] = &[("x-ms-lease-action", "acquire"), ("x-ms-lease-duration", "15")];
/// Stands for the URL of `/one/source`.
const SOURCE: (&str, &str) = ("x-ms-copy-source", "");

const WRONG_HEADERS: [(&str, &str); 30] = [
    ("content-md5", "no base64"),
    ("content-md5", "AAAAAAAAAAAAAAAAAAAAAA=="),
    ("x-ms-content-crc64", "AQAAAAAAAAA="),
    ("x-ms-range", "bytes=9-1"),
    ("x-ms-range", "bytes=-"),
    ("x-ms-range", "bytes=0-18446744073709551615"),
    ("x-ms-source-range", "lines=1-2"),
    ("x-ms-copy-source", "not a URL"),
    ("x-ms-copy-source", "http://127.0.0.1:10000"),
    ("x-ms-copy-source", "http://127.0.0.1:10000/devstoreaccount1/one/source?snapshot=%FF"),
    ("if-match", "\"0x0\", \"0x1\""),
    ("if-modified-since", "soon"),
    ("if-unmodified-since", "Thu, 01 Jan 1970 00:00:00 GMT"),
    ("x-ms-if-tags", "nonsense"),
    ("x-ms-lease-id", "nobody's"),
    ("x-ms-lease-duration", "99999999999999999999"),
    ("x-ms-meta-1a", "x"),
    ("x-ms-meta-", "x"),
    ("x-ms-tags", "a"),
    ("x-ms-access-tier", "Lukewarm"),
    ("x-ms-rehydrate-priority", "Now"),
    ("x-ms-blob-type", "Blob"),
    ("x-ms-blob-content-length", "-1"),
    ("x-ms-blob-sequence-number", "many"),
    ("x-ms-sequence-number-action", "halve"),
    ("x-ms-if-sequence-number-eq", "0.5"),
    ("x-ms-blob-condition-appendpos", "-1"),
    ("x-ms-delete-snapshots", "some"),
    ("x-ms-seal-blob", "maybe"),
    ("x-ms-blob-public-access", "everyone"),
];

const WRONG_QUERIES: [&str; 7] = [
    "snapshot=never",
    "prevsnapshot=2020-01-01T00:00:00.0000000Z",
    "maxresults=-3",
    "marker=%00",
    "include=what",
    "blocklisttype=odd",
    "versionid=x",
];

fn filled() -> Kit {
    let kit = plain();
    kit.container("one");
    kit.block_blob("/one/a", b"content");
    kit.block_blob("/one/source", b"source");
    kit.page_blob("/one/p", 2);
    kit.ask("PUT", "/one/log").header("x-ms-blob-type", "AppendBlob").send().expect(201);
    kit
}

fn all_there_is(kit: &Kit) -> String {
    format!("{:?}", kit.sim.shared.service().state.accounts)
}

/// Whether `op` accepts the header `name`, so that a wrong one is refused.
fn is_business(op: Op, name: &str) -> bool {
    use Op::*;
    let source = matches!(
        op,
        CopyBlob | CopyBlobFromUrl | IncrementalCopy | PutBlobFromUrl | PutBlockFromUrl
    );
    let whole = matches!(op, PutBlob | PutBlobFromUrl | PutBlockList | CopyBlob | CopyBlobFromUrl);
    let body = matches!(op, PutBlob | PutBlock | PutBlockList | AppendBlock | PutPage);
    match name {
        "content-md5" => body || op == PutBlobFromUrl,
        "x-ms-content-crc64" => body,
        // Get Blob ignores an invalid range.
        "x-ms-range" => matches!(op, GetPageRanges | PutPage),
        "x-ms-source-range" => op == PutBlockFromUrl,
        "x-ms-copy-source" => source,
        // Operations without conditions say so.
        "if-match" | "if-modified-since" | "if-unmodified-since" | "x-ms-if-tags" => {
            !matches!(op, ListContainers | CreateContainer | GetContainerAcl)
        }
        "x-ms-lease-id" => {
            !matches!(op, ListContainers | CreateContainer | ListBlobs | LeaseBlob | LeaseContainer)
        }
        "x-ms-lease-duration" => matches!(op, LeaseBlob | LeaseContainer),
        "x-ms-meta-1a" | "x-ms-meta-" => {
            whole
                || matches!(op, CreateContainer | SetContainerMetadata | IncrementalCopy)
                || matches!(op, SetBlobMetadata | SnapshotBlob)
        }
        "x-ms-tags" => whole,
        "x-ms-access-tier" => whole || op == SetBlobTier,
        "x-ms-rehydrate-priority" => matches!(op, CopyBlob | SetBlobTier),
        "x-ms-blob-type" => matches!(op, PutBlob | PutBlobFromUrl),
        "x-ms-blob-content-length" | "x-ms-sequence-number-action" => op == SetBlobProperties,
        "x-ms-blob-sequence-number" => matches!(op, PutBlob | SetBlobProperties),
        "x-ms-if-sequence-number-eq" => op == PutPage,
        "x-ms-blob-condition-appendpos" => op == AppendBlock,
        "x-ms-delete-snapshots" => op == DeleteBlob,
        "x-ms-seal-blob" => op == CopyBlob,
        "x-ms-blob-public-access" => matches!(op, CreateContainer | SetContainerAcl),
        _ => panic!("whose business is {name}?"),
    }
}

/// Sends a request with one header or query parameter replaced or added.
fn send(
    kit: &Kit,
    request: &Template,
    wrong: Option<(&str, &str)>,
    more: &str,
    body: Option<&str>,
) -> u16 {
    let (method, target, headers, own_body) = *request;
    let target = match (more.is_empty(), target.contains('?')) {
        (true, _) => target.to_owned(),
        (false, true) => format!("{target}&{more}"),
        (false, false) => format!("{target}?{more}"),
    };
    let source = format!("{HOST}/{DEFAULT_ACCOUNT}/one/source?{}", source_sas("/one/source"));
    let mut ask = kit.ask(method, &target).body(body.unwrap_or(own_body).as_bytes());
    let kept = headers.iter().filter(|(name, _)| wrong.is_none_or(|(wrong, _)| wrong != *name));
    for (name, value) in kept {
        ask = ask.header(name, if *name == SOURCE.0 { &source } else { value });
    }
    if let Some((name, value)) = wrong {
        ask = ask.header(name, value);
    }
    ask.send().status
}

#[test]
fn each_request_does_when_nothing_is_wrong() {
    for request in &REQUESTS {
        let (method, target, ..) = request;
        let status = send(&filled(), request, None, "", None);
        // A block blob has no incremental copy, and nothing is pending.
        let refused = target.contains("incrementalcopy") || target.contains("comp=copy");
        let does = if refused { status == 409 } else { status < 300 };
        assert!(does, "{method} {target}: {status}");
    }
}

#[test]
fn one_thing_wrong_never_breaks_the_service_nor_changes_what_it_keeps() {
    let mut refused = 0;
    for request in &REQUESTS {
        let headers = WRONG_HEADERS.iter().map(|header| (Some(*header), "", None));
        let queries = WRONG_QUERIES.iter().map(|query| (None, *query, None));
        let bodies =
            ["<", "<BlockList><Latest>", "\u{0}", "<A>&b;</A>"].map(|body| (None, "", Some(body)));
        let mut kit = filled();
        let mut before = all_there_is(&kit);
        for (wrong, query, body) in headers.chain(queries).chain(bodies) {
            let status = send(&kit, request, wrong, query, body);
            let what = format!("{request:?} {wrong:?} {query} {body:?}");
            assert!(status < 500 || status == 501, "{what}: {status}");
            if status >= 300 {
                refused += 1;
                assert_eq!(all_there_is(&kit), before, "{what}: {status}");
            } else {
                let op = kit.sim.requests().last().unwrap().op();
                let passed = wrong.is_none_or(|(name, _)| !is_business(op, name));
                assert!(passed, "{op}: {what}: {status}");
                kit = filled();
                before = all_there_is(&kit);
            }
        }
    }
    assert!(refused > 300, "{refused} were refused");
}
