//! Blocks of block blobs and of append blobs.

use super::kit::{Kit, Reply, plain};

fn put(kit: &Kit, id: &str, body: &[u8]) -> Reply {
    kit.ask("PUT", &format!("/one/a?comp=block&blockid={id}")).body(body).send()
}

fn commit(kit: &Kit, entries: &str) -> Reply {
    let body = format!("<?xml version=\"1.0\"?><BlockList>{entries}</BlockList>");
    kit.ask("PUT", "/one/a?comp=blocklist").body(body.as_bytes()).send()
}

fn listed(kit: &Kit, target: &str, kind: &str) -> String {
    let reply = kit.ask("GET", &format!("{target}?comp=blocklist&blocklisttype={kind}")).send();
    let text = reply.expect(200).text().to_owned();
    text.split_once("?>").unwrap().1.to_owned()
}

fn container() -> Kit {
    let kit = plain();
    kit.container("one");
    kit
}

#[test]
fn blocks_become_a_blob_in_the_order_of_the_list() {
    let kit = container();
    put(&kit, "QQ==", b"aaa").expect(201);
    let checked = put(&kit, "Qg==", b"123456789").expect(201);
    // The check value of CRC-64/NVME, in little-endian base64.
    assert_eq!(checked.header("x-ms-content-crc64"), "iJh5CoYUi64=");
    assert_eq!(checked.header("etag"), "");
    kit.head("/one/a").expect(404);
    assert_eq!(
        listed(&kit, "/one/a", "all"),
        "<BlockList><CommittedBlocks></CommittedBlocks><UncommittedBlocks>\
         <Block><Name>QQ==</Name><Size>3</Size></Block>\
         <Block><Name>Qg==</Name><Size>9</Size></Block></UncommittedBlocks></BlockList>"
    );
    let committed = commit(&kit, "<Latest>Qg==</Latest><Uncommitted>QQ==</Uncommitted>");
    committed.expect(201);
    assert_eq!(kit.ask("GET", "/one/a").send().expect(200).body, b"123456789aaa");
    put(&kit, "Qg==", b"new").expect(201);
    put(&kit, "Qw==", b"never").expect(201);
    commit(&kit, "<Committed>Qg==</Committed><Latest>Qg==</Latest>").expect(201);
    assert_eq!(kit.ask("GET", "/one/a").send().expect(200).body, b"123456789new");
    assert_eq!(
        listed(&kit, "/one/a", "all"),
        "<BlockList><CommittedBlocks><Block><Name>Qg==</Name><Size>9</Size></Block>\
         <Block><Name>Qg==</Name><Size>3</Size></Block></CommittedBlocks>\
         <UncommittedBlocks></UncommittedBlocks></BlockList>"
    );
}

#[test]
fn a_copy_keeps_the_blocks_and_put_blob_has_none() {
    let kit = container();
    put(&kit, "QQ==", b"aaa").expect(201);
    commit(&kit, "<Latest>QQ==</Latest>").expect(201);
    kit.copy("/one/a", "/one/b").send().expect(202);
    let block = "<Block><Name>QQ==</Name><Size>3</Size></Block>";
    assert!(listed(&kit, "/one/b", "committed").contains(block));
    kit.block_blob("/one/b", b"whole");
    assert!(!listed(&kit, "/one/b", "committed").contains("<Block>"));
    // It also discards uncommitted blocks.
    put(&kit, "Qg==", b"b").expect(201);
    kit.block_blob("/one/a", b"whole");
    assert!(!listed(&kit, "/one/a", "uncommitted").contains("<Block>"));
}

#[test]
fn the_list_sets_the_properties_and_takes_a_copys_traces_away() {
    let kit = container();
    kit.block_blob("/one/source", b"x");
    kit.copy("/one/source", "/one/a").send().expect(202);
    put(&kit, "QQ==", b"aaa").expect(201);
    assert_ne!(kit.head("/one/a").header("x-ms-copy-id"), "");
    let commit = kit.ask("PUT", "/one/a?comp=blocklist");
    let commit = commit.header("content-type", "text/xml").header("x-ms-meta-k", "v");
    let commit = commit.header("x-ms-blob-content-type", "text/plain").header("x-ms-tags", "a=b");
    commit.body(b"<BlockList><Latest>QQ==</Latest></BlockList>").send().expect(201);
    let head = kit.head("/one/a").expect(200);
    assert_eq!(head.header("content-type"), "text/plain");
    assert_eq!((head.header("x-ms-meta-k"), head.header("x-ms-tag-count")), ("v", "1"));
    assert_eq!(head.header("x-ms-copy-id"), "");
}

#[test]
fn bad_blocks_and_lists_change_nothing() {
    let kit = container();
    kit.ask("PUT", "/one/a?comp=block")
        .body(b"x")
        .send()
        .refused(400, "MissingRequiredQueryParameter");
    put(&kit, "?", b"x").refused(400, "InvalidBlockId");
    put(&kit, &"QUFB".repeat(22), b"x").refused(400, "InvalidBlockId");
    put(&kit, "QQ==", b"").refused(400, "InvalidHeaderValue");
    put(&kit, "QQ==", b"aaa").expect(201);
    put(&kit, "QUFB", b"x").expect(201);
    put(&kit, "QUFBQUFB", b"x").refused(400, "InvalidBlobOrBlock");
    let block = || kit.ask("PUT", "/one/a?comp=block&blockid=QQ==").body(b"x");
    let wrong = block().header("x-ms-content-crc64", "AAAAAAAAAAA=").send();
    wrong.refused(400, "Crc64Mismatch");
    let odd = block().header("x-ms-content-crc64", "AAAA").send();
    odd.refused(400, "InvalidHeaderValue");
    let both = block().header("x-ms-content-crc64", "AAAAAAAAAAA=");
    let both = both.header("content-md5", "AAAA").send();
    both.refused(400, "BothCrc64AndMd5HeaderPresent");
    let old = kit.ask("PUT", "/one/a?comp=block&blockid=QQ==").header("x-ms-version", "2015-12-11");
    old.body(&vec![0; (4 << 20) + 1]).send().refused(413, "RequestBodyTooLarge");

    commit(&kit, "<Committed>QQ==</Committed>").refused(400, "InvalidBlockList");
    commit(&kit, "<Latest>Wg==</Latest>").refused(400, "InvalidBlockList");
    commit(&kit, "<Oldest>QQ==</Oldest>").refused(400, "InvalidXmlDocument");
    commit(&kit, "<Latest>").refused(400, "InvalidXmlDocument");
    commit(&kit, &"<Latest>QQ==</Latest>".repeat(50_001)).refused(400, "BlockListTooLong");
    let unknown = kit.ask("GET", "/one/a?comp=blocklist&blocklisttype=some").send();
    unknown.refused(400, "InvalidQueryParameterValue");
    kit.ask("GET", "/one/none?comp=blocklist").send().refused(404, "BlobNotFound");
    kit.head("/one/a").expect(404);
    kit.page_blob("/one/p", 1);
    kit.ask("PUT", "/one/p?comp=block&blockid=QQ==")
        .body(b"x")
        .send()
        .refused(409, "InvalidBlobType");
    kit.ask("GET", "/one/p?comp=blocklist").send().refused(409, "InvalidBlobType");
}

#[test]
fn append_blobs_grow_under_their_conditions_until_they_are_sealed() {
    let kit = container();
    kit.ask("PUT", "/one/log").header("x-ms-blob-type", "AppendBlob").send().expect(201);
    let append = |headers: &[(&str, &str)]| {
        let ask = kit.ask("PUT", "/one/log?comp=appendblock").body(b"12345");
        headers.iter().fold(ask, |ask, (name, value)| ask.header(name, value)).send()
    };
    let first = append(&[("x-ms-blob-condition-appendpos", "0")]).expect(201);
    let about = |reply: &Reply| {
        let header = |name: &str| reply.header(name).to_owned();
        (header("x-ms-blob-append-offset"), header("x-ms-blob-committed-block-count"))
    };
    assert_eq!(about(&first), ("0".into(), "1".into()));
    append(&[("x-ms-blob-condition-appendpos", "0")]).refused(412, "AppendPositionConditionNotMet");
    append(&[("x-ms-blob-condition-maxsize", "9")]).refused(412, "MaxBlobSizeConditionNotMet");
    let second = append(&[("x-ms-blob-condition-maxsize", "10")]).expect(201);
    assert_eq!(about(&second), ("5".into(), "2".into()));
    assert_eq!(kit.ask("GET", "/one/log").send().expect(200).body, b"1234512345");
    kit.ask("PUT", "/one/log?comp=appendblock").send().refused(400, "InvalidHeaderValue");
    let seal = kit.ask("PUT", "/one/log?comp=seal").send().expect(200);
    assert_eq!(seal.header("x-ms-blob-sealed"), "true");
    append(&[]).refused(409, "BlobIsSealed");
    assert_eq!(kit.head("/one/log").header("x-ms-blob-sealed"), "true");
    kit.copy("/one/log", "/one/open").send().expect(202);
    assert_eq!(kit.head("/one/open").header("x-ms-blob-sealed"), "");
    kit.copy("/one/log", "/one/shut").header("x-ms-seal-blob", "true").send().expect(202);
    assert_eq!(kit.head("/one/shut").header("x-ms-blob-sealed"), "true");
    kit.block_blob("/one/b", b"b");
    let other = kit.ask("PUT", "/one/b?comp=appendblock").body(b"x").send();
    other.refused(409, "InvalidBlobType");
}
