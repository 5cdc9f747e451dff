//! Containers, blobs, pages, snapshots and deletes.

use super::kit::plain;

#[test]
fn containers_are_made_once_and_take_their_blobs_with_them() {
    let kit = plain();
    kit.container("one");
    let again = kit.ask("PUT", "/one?restype=container").send();
    again.refused(409, "ContainerAlreadyExists");
    kit.block_blob("/one/a", b"a");
    kit.ask("HEAD", "/one?restype=container").send().expect(200);
    kit.ask("DELETE", "/one?restype=container").send().expect(202);
    kit.ask("GET", "/one?restype=container").send().refused(404, "ContainerNotFound");
    kit.ask("GET", "/one/a").send().refused(404, "ContainerNotFound");
    kit.container("one");
    kit.ask("GET", "/one/a").send().refused(404, "BlobNotFound");
}

#[test]
fn a_block_blob_is_read_whole_and_in_ranges() {
    let kit = plain();
    kit.container("one");
    kit.block_blob("/one/dir/a%20b", b"0123456789");
    let whole = kit.ask("GET", "/one/dir/a%20b").send().expect(200);
    assert_eq!(whole.body, b"0123456789");
    assert_eq!(whole.header("content-length"), "10");
    let md5 = whole.header("content-md5").to_owned();
    let ranged =
        |name: &str, value: &str| kit.ask("GET", "/one/dir/a%20b").header(name, value).send();
    let part = ranged("x-ms-range", "bytes=2-4").expect(206);
    assert_eq!((part.body.as_slice(), part.header("content-range")), (&b"234"[..], "bytes 2-4/10"));
    assert_eq!(part.header("x-ms-blob-content-md5"), md5);
    assert_eq!(ranged("range", "bytes=7-").expect(206).body, b"789");
    assert_eq!(ranged("range", "bytes=8-99").expect(206).body, b"89");
    ranged("range", "bytes=10-").refused(416, "InvalidRange");
    ranged("x-ms-range-get-content-md5", "true").refused(400, "InvalidHeaderValue");
    // Only Get Blob Properties reports the tier.
    assert_eq!(whole.header("x-ms-access-tier"), "");
    assert_eq!(kit.head("/one/dir/a%20b").header("x-ms-access-tier"), "Hot");
    assert_eq!(ranged("range", "bytes=4-2").expect(200).body, b"0123456789");
}

#[test]
fn reads_answer_304_or_412() {
    let kit = plain();
    kit.container("one");
    kit.block_blob("/one/a", b"a");
    let etag = kit.head("/one/a").header("etag").to_owned();
    let read = |name: &str, value: &str| kit.ask("GET", "/one/a").header(name, value).send();
    let unchanged = read("if-none-match", &etag).refused(304, "ConditionNotMet");
    assert!(unchanged.body.is_empty());
    read("if-match", "\"0x0\"").refused(412, "ConditionNotMet");
    read("if-modified-since", "Thu, 01 Jan 2026 00:00:00 GMT").refused(304, "ConditionNotMet");
    read("if-match", &format!("\"0x0\", {etag}")).expect(200);
    let either = kit.ask("GET", "/one/a").header("if-none-match", &etag);
    either.header("if-modified-since", "Thu, 01 Jan 2015 00:00:00 GMT").send().expect(200);
}

#[test]
fn pages_are_written_cleared_and_listed() {
    let kit = plain();
    kit.container("one");
    kit.page_blob("/one/p", 16);
    kit.write_pages("/one/p", 1, 4, 7).expect(201);
    let clear = |range: &str| {
        let ask = kit.ask("PUT", "/one/p?comp=page").header("x-ms-page-write", "clear");
        ask.header("x-ms-range", range).send()
    };
    clear("bytes=1024-1535").expect(201);
    let list = kit.ask("GET", "/one/p?comp=pagelist").send().expect(200);
    assert_eq!(list.header("x-ms-blob-content-length"), "8192");
    assert!(list.text().starts_with('\u{feff}'));
    assert!(list.text().ends_with(
        "<PageList><PageRange><Start>512</Start><End>1023</End></PageRange>\
         <PageRange><Start>1536</Start><End>2559</End></PageRange></PageList>"
    ));
    let paged = kit.ask("GET", "/one/p?comp=pagelist&maxresults=1").send().expect(200);
    let (_, marker) = paged.text().split_once("</PageRange><NextMarker>").unwrap();
    let (marker, _) = marker.split_once("</NextMarker>").unwrap();
    let marker = marker.replace('!', "%21").replace('=', "%3D");
    let next = format!("/one/p?comp=pagelist&maxresults=1&marker={marker}");
    let next = kit.ask("GET", &next).send().expect(200);
    assert!(next.text().contains("<Start>1536</Start>") && !next.text().contains("NextMarker"));

    let whole = kit.ask("GET", "/one/p").send().expect(200);
    assert_eq!(whole.body.len(), 8192);
    assert_eq!((whole.body[512], whole.body[1024], whole.body[1536]), (7, 0, 7));
    kit.write_pages("/one/p", 16, 1, 1).refused(416, "InvalidPageRange");
    clear("bytes=1-512").refused(416, "InvalidPageRange");
    kit.write_pages("/one/p", 0, 8193, 1).refused(413, "RequestBodyTooLarge");
    kit.write_pages("/one/missing", 0, 1, 1).refused(404, "BlobNotFound");
}

#[test]
fn differences_are_told_between_snapshots_of_one_generation() {
    let kit = plain();
    kit.container("one");
    kit.page_blob("/one/p", 16);
    kit.write_pages("/one/p", 0, 2, 1).expect(201);
    let early = kit.snapshot("/one/p");
    kit.write_pages("/one/p", 1, 2, 2).expect(201);
    let late = kit.snapshot("/one/p");
    let list = |query: String| kit.ask("GET", &format!("/one/p?comp=pagelist&{query}")).send();
    let changed = "<PageList><PageRange><Start>512</Start><End>1535</End></PageRange></PageList>";
    assert!(
        list(format!("snapshot={late}&prevsnapshot={early}")).expect(200).text().ends_with(changed)
    );
    assert!(list(format!("prevsnapshot={early}")).expect(200).text().ends_with(changed));
    let newer = list(format!("snapshot={early}&prevsnapshot={late}"));
    newer.refused(400, "PreviousSnapshotCannotBeNewer");
    list("prevsnapshot=2020-01-01T00:00:00.0000000Z".into())
        .refused(409, "PreviousSnapshotNotFound");
    kit.page_blob("/one/p", 16);
    list(format!("prevsnapshot={early}")).refused(409, "BlobOverwritten");
}

#[test]
fn snapshots_keep_what_was_and_are_deleted_as_asked() {
    let kit = plain();
    kit.container("one");
    kit.block_blob("/one/a", b"before");
    let first = kit.snapshot("/one/a");
    let second = kit.snapshot("/one/a");
    assert!(first < second);
    kit.block_blob("/one/a", b"after");
    let kept = kit.ask("GET", &format!("/one/a?snapshot={first}")).send().expect(200);
    assert_eq!(kept.body, b"before");

    let delete = |target: &str| kit.ask("DELETE", target);
    delete("/one/a").send().refused(409, "SnapshotsPresent");
    delete(&format!("/one/a?snapshot={first}")).send().expect(202);
    kit.ask("GET", &format!("/one/a?snapshot={first}")).send().refused(404, "BlobNotFound");
    delete("/one/a").header("x-ms-delete-snapshots", "only").send().expect(202);
    kit.head(&format!("/one/a?snapshot={second}")).expect(404);
    delete("/one/a").send().expect(202);
    kit.head("/one/a").expect(404);
}

#[test]
fn a_blob_of_terabytes_costs_what_was_written() {
    let kit = plain();
    kit.container("one");
    let pages = (8 << 40) / 512;
    kit.page_blob("/one/huge", pages);
    kit.write_pages("/one/huge", pages - 1, 1, 9).expect(201);
    for _ in 0..100 {
        kit.snapshot("/one/huge");
    }
    let range = format!("bytes={}-", (8_u64 << 40) - 512);
    let tail = kit.ask("GET", "/one/huge").header("range", &range).send().expect(206);
    assert_eq!(tail.body, [9; 512]);
}
