//! The synchronous writes from a URL.

use super::kit::{Ask, HOST, Kit, kit, plain, source_sas};
use crate::DEFAULT_ACCOUNT;

fn blobs() -> Kit {
    let kit = plain();
    kit.container("one");
    let put = kit.ask("PUT", "/one/a").header("x-ms-blob-type", "BlockBlob").body(b"0123456789");
    let put = put.header("x-ms-blob-content-type", "text/plain").header("x-ms-meta-k", "v");
    put.header("x-ms-blob-cache-control", "no-cache").header("x-ms-tags", "t=1").send().expect(201);
    kit
}

fn url(path: &str) -> String {
    format!("{HOST}/{DEFAULT_ACCOUNT}{path}?{}", source_sas(path))
}

fn from<'a>(kit: &'a Kit, source: &str, target: &str) -> Ask<'a> {
    kit.ask("PUT", target).header("x-ms-copy-source", &url(source))
}

fn sync<'a>(kit: &'a Kit, source: &str, target: &str) -> Ask<'a> {
    from(kit, source, target).header("x-ms-requires-sync", "true")
}

#[test]
fn copy_blob_from_url_is_over_when_it_is_answered() {
    let kit = blobs();
    for id in ["QQ==", "Qg=="] {
        let block = kit.ask("PUT", &format!("/one/blocks?comp=block&blockid={id}"));
        block.body(b"abc").send().expect(201);
    }
    let list = "<BlockList><Latest>Qg==</Latest><Latest>QQ==</Latest></BlockList>";
    kit.ask("PUT", "/one/blocks?comp=blocklist").body(list.as_bytes()).send().expect(201);
    let done = sync(&kit, "/one/blocks", "/one/b").send().expect(202);
    assert_eq!(done.header("x-ms-copy-status"), "success");
    let head = kit.head("/one/b").expect(200);
    assert_eq!(head.header("x-ms-copy-id"), done.header("x-ms-copy-id"));
    assert_eq!(head.header("x-ms-copy-progress"), "6/6");
    let kept = kit.ask("GET", "/one/b?comp=blocklist").send().expect(200);
    assert!(kept.text().contains("<Name>Qg==</Name><Size>3</Size></Block><Block><Name>QQ=="));

    sync(&kit, "/one/a", "/one/b").send().expect(202);
    let head = kit.head("/one/b").expect(200);
    assert_eq!((head.header("x-ms-meta-k"), head.header("content-type")), ("v", "text/plain"));
    assert_eq!(head.header("x-ms-tag-count"), "");
    let tags =
        |option: &str| sync(&kit, "/one/a", "/one/b").header("x-ms-copy-source-tag-option", option);
    tags("COPY").send().expect(202);
    assert_eq!(kit.head("/one/b").header("x-ms-tag-count"), "1");
    let both = tags("COPY").header("x-ms-tags", "a=b").send();
    both.refused(409, "BothUserTagsAndSourceTagsCopyPresentException");
    tags("copy").send().refused(400, "InvalidHeaderValue");
}

#[test]
fn the_source_is_authorized_by_its_url_or_a_token_of_its_own() {
    let kit = kit(|builder| builder.accept_bearer(|token| token == "good"));
    kit.container("one");
    kit.block_blob("/one/a", b"a");
    let bare = format!("https://{DEFAULT_ACCOUNT}.blob.core.windows.net/one/a");
    let copy = || {
        let ask = kit.ask("PUT", "/one/b").header("x-ms-requires-sync", "true");
        ask.header("x-ms-copy-source", &bare)
    };
    // Unlike for Copy Blob, the key of the request does not authorize reading it.
    copy().send().refused(401, "CannotVerifyCopySource");
    let with = |value: &str| copy().header("x-ms-copy-source-authorization", value).send();
    with("Bearer good").expect(202);
    with("Bearer bad").refused(401, "CannotVerifyCopySource");
    with("Basic good").refused(400, "CannotVerifyCopySource");
}

#[test]
fn what_does_not_fit_is_refused_and_changes_nothing() {
    let kit = blobs();
    kit.page_blob("/one/p", 1);
    sync(&kit, "/one/p", "/one/b").send().refused(409, "InvalidSourceBlobType");
    sync(&kit, "/one/a", "/one/p").send().refused(409, "InvalidBlobType");
    sync(&kit, "/one/none", "/one/b").send().refused(404, "CannotVerifyCopySource");
    let header =
        |name: &str, value: &str| sync(&kit, "/one/a", "/one/b").header(name, value).send();
    header("x-ms-source-if-match", "\"0x0\"").refused(412, "CannotVerifyCopySource");
    header("if-match", "\"0x0\"").refused(412, "TargetConditionNotMet");
    header("x-ms-source-content-md5", "AAAAAAAAAAAAAAAAAAAAAA==").refused(400, "Md5Mismatch");
    header("x-ms-source-content-md5", "AAAA").refused(400, "InvalidMd5");
    from(&kit, "/one/a", "/one/b")
        .header("x-ms-requires-sync", "no")
        .send()
        .refused(400, "InvalidHeaderValue");
    sync(&kit, "/one/a", "/one/b").body(b"x").send().refused(400, "InvalidHeaderValue");
    kit.page_blob("/one/big", (257 << 20) / 512);
    sync(&kit, "/one/big", "/one/b").send().refused(409, "CannotVerifyCopySource");
    kit.head("/one/b").expect(404);
}

#[test]
fn put_blob_from_url_takes_any_type_and_leaves_no_copy_behind() {
    let kit = blobs();
    kit.page_blob("/one/p", 2);
    kit.write_pages("/one/p", 1, 1, 7).expect(201);
    let put = |source: &str| from(&kit, source, "/one/b").header("x-ms-blob-type", "BlockBlob");
    put("/one/p").send().expect(201);
    let read = kit.ask("GET", "/one/b").send().expect(200);
    assert_eq!((read.body.len(), read.body[511], read.body[512]), (1024, 0, 7));
    assert_eq!((read.header("x-ms-copy-id"), read.header("x-ms-blob-type")), ("", "BlockBlob"));
    put("/one/a").header("x-ms-blob-content-language", "en").send().expect(201);
    let head = kit.head("/one/b").expect(200);
    assert_eq!(
        (head.header("content-type"), head.header("cache-control")),
        ("text/plain", "no-cache")
    );
    assert_eq!((head.header("content-language"), head.header("x-ms-meta-k")), ("en", "v"));
    // The Python SDK capitalizes booleans.
    put("/one/a").header("x-ms-copy-source-blob-properties", "False").send().expect(201);
    assert_eq!(kit.head("/one/b").header("cache-control"), "");
    let neither = put("/one/a").header("x-ms-copy-source-blob-properties", "maybe");
    neither.send().refused(400, "InvalidHeaderValue");
    put("/one/a").header("if-none-match", "*").send().refused(409, "BlobAlreadyExists");
    let page = from(&kit, "/one/a", "/one/b").header("x-ms-blob-type", "PageBlob").send();
    page.refused(400, "InvalidHeaderValue");
}

#[test]
fn blocks_appends_and_pages_are_read_from_ranges() {
    let kit = blobs();
    let block = |range: &str| {
        from(&kit, "/one/a", "/one/b?comp=block&blockid=QQ==").header("x-ms-source-range", range)
    };
    // The MD5 of "234".
    let md5 = "KJ39cZSRAL5eY4YsjJIvtg==";
    let checked = block("bytes=2-4").header("x-ms-source-content-md5", md5).send();
    assert!(matches!(checked.status, 201 | 400));
    block("bytes=2-4").send().expect(201);
    block("bytes=10-11").send().refused(416, "CannotVerifyCopySource");
    block("bytes=4-2").send().refused(400, "InvalidHeaderValue");
    block("bytes=2-4")
        .header("x-ms-source-content-crc64", "AAAAAAAAAAA=")
        .send()
        .refused(400, "Crc64Mismatch");
    let list = b"<BlockList><Latest>QQ==</Latest></BlockList>";
    kit.ask("PUT", "/one/b?comp=blocklist").body(list).send().expect(201);
    assert_eq!(kit.ask("GET", "/one/b").send().expect(200).body, b"234");

    kit.ask("PUT", "/one/log").header("x-ms-blob-type", "AppendBlob").send().expect(201);
    let append = |position: &str| {
        from(&kit, "/one/a", "/one/log?comp=appendblock")
            .header("x-ms-source-range", "bytes=7-")
            .header("x-ms-blob-condition-appendpos", position)
            .send()
    };
    assert_eq!(append("0").expect(201).header("x-ms-blob-append-offset"), "0");
    append("0").refused(412, "AppendPositionConditionNotMet");
    assert_eq!(append("3").expect(201).header("x-ms-blob-committed-block-count"), "2");
    assert_eq!(kit.ask("GET", "/one/log").send().expect(200).body, b"789789");

    kit.page_blob("/one/from", 4);
    kit.write_pages("/one/from", 2, 1, 5).expect(201);
    kit.page_blob("/one/to", 2);
    let page = |source: &str, range: &str| {
        from(&kit, "/one/from", "/one/to?comp=page")
            .header("x-ms-page-write", "update")
            .header("x-ms-source-range", source)
            .header("x-ms-range", range)
            .send()
    };
    let written = page("bytes=1024-1535", "bytes=512-1023").expect(201);
    assert_eq!(written.header("x-ms-blob-sequence-number"), "0");
    let read = kit.ask("GET", "/one/to").send().expect(200);
    assert_eq!((read.body[511], read.body[512]), (0, 5));
    page("bytes=0-1023", "bytes=0-511").refused(400, "InvalidHeaderValue");
    page("bytes=0-511", "bytes=1-512").refused(416, "InvalidPageRange");
    page("bytes=0-511", "bytes=1024-1535").refused(416, "InvalidPageRange");
    page("bytes=1536-2559", "bytes=0-1023").refused(416, "CannotVerifyCopySource");
    let all = "bytes=0-4194815";
    page(all, all).refused(413, "RequestBodyTooLarge");
}

#[test]
fn the_copies_into_one_account_can_wait_for_each_other() {
    let kit = kit(|builder| builder.copy_rate(1).queue_copies(true));
    kit.container("one");
    kit.block_blob("/one/a", b"0123456789");
    for target in ["/one/b", "/one/c", "/one/d"] {
        kit.copy("/one/a", target).send().expect(202);
    }
    let progress = || {
        ["/one/b", "/one/c", "/one/d"]
            .map(|blob| kit.head(blob).header("x-ms-copy-progress").to_owned())
    };
    kit.advance(4);
    assert_eq!(progress(), ["4/10", "0/10", "0/10"]);
    // However late they are checked, each starts where the one before it ended.
    kit.advance(18);
    assert_eq!(progress(), ["10/10", "10/10", "2/10"]);
    let ended = kit.head("/one/c").header("x-ms-copy-completion-time").to_owned();
    assert_eq!(ended, "Thu, 01 Jan 2026 00:00:20 GMT");
}

#[test]
fn the_checksum_of_put_blob_from_url_is_checked_and_another_one_kept() {
    const RIGHT: &str = "eB5eJF1ptWaXm4bijSPyxw==";
    const OTHER: &str = "AAAAAAAAAAAAAAAAAAAAAA==";
    let kit = blobs();
    let put = || from(&kit, "/one/a", "/one/b").header("x-ms-blob-type", "BlockBlob");
    put().header("content-md5", OTHER).send().refused(400, "Md5Mismatch");
    put().header("content-md5", "AAAA").send().refused(400, "InvalidMd5");
    kit.head("/one/b").expect(404);
    let done = put().header("content-md5", RIGHT).send().expect(201);
    assert_eq!(done.header("content-md5"), RIGHT);
    assert_eq!(kit.head("/one/b").header("content-md5"), RIGHT);
    let done = put().header("x-ms-blob-content-md5", OTHER).send().expect(201);
    assert_eq!(done.header("content-md5"), RIGHT);
    assert_eq!(kit.head("/one/b").header("content-md5"), OTHER);
}
