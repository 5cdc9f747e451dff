//! Setting metadata, properties, tags and tier of an existing blob.

use super::kit::{Kit, Reply, plain};

fn a_blob() -> Kit {
    let kit = plain();
    kit.container("one");
    kit.block_blob("/one/a", b"hello");
    kit
}

fn set(kit: &Kit, target: &str, headers: &[(&str, &str)]) -> Reply {
    let ask = kit.ask("PUT", target);
    headers.iter().fold(ask, |ask, (name, value)| ask.header(name, value)).send()
}

#[test]
fn metadata_and_properties_are_replaced_whole() {
    let kit = a_blob();
    kit.copy("/one/a", "/one/b").send().expect(202);
    let before = kit.head("/one/b").header("etag").to_owned();
    let done = set(&kit, "/one/b?comp=metadata", &[("x-ms-meta-k", "v")]).expect(200);
    assert_ne!(done.header("etag"), before);
    let read = kit.ask("GET", "/one/b?comp=metadata").send().expect(200);
    assert_eq!((read.header("x-ms-meta-k"), read.header("etag")), ("v", done.header("etag")));
    // Any write except of pages and blocks removes the copy's record.
    assert_eq!(kit.head("/one/b").header("x-ms-copy-id"), "");
    kit.copy("/one/a", "/one/b").send().expect(202);
    let headers = [
        ("x-ms-blob-content-type", "text/plain"),
        ("x-ms-blob-cache-control", "no-cache"),
        ("x-ms-blob-content-disposition", "inline"),
        ("x-ms-blob-content-encoding", "identity"),
        ("x-ms-blob-content-language", "en"),
        ("x-ms-blob-content-md5", "XUFAKrxLKna5cZ2REBfFkg=="),
    ];
    set(&kit, "/one/b?comp=properties", &headers).expect(200);
    let head = kit.head("/one/b").expect(200);
    for (name, value) in headers {
        let shown = name.trim_start_matches("x-ms-blob-");
        assert_eq!(head.header(shown), value, "{shown}");
    }
    assert_eq!(head.header("x-ms-copy-id"), "");
    set(&kit, "/one/b?comp=properties", &[("x-ms-blob-content-type", "a/b")]).expect(200);
    let head = kit.head("/one/b").expect(200);
    assert_eq!((head.header("cache-control"), head.header("content-md5")), ("", ""));
    let unmet = set(&kit, "/one/b?comp=metadata", &[("if-match", "\"0x0\"")]);
    unmet.refused(412, "ConditionNotMet");
    set(&kit, "/one/none?comp=metadata", &[]).refused(404, "BlobNotFound");
}

#[test]
fn a_page_blob_is_resized_and_its_sequence_number_moves() {
    const LENGTH: &str = "x-ms-blob-content-length";
    const ACTION: &str = "x-ms-sequence-number-action";
    const NUMBER: &str = "x-ms-blob-sequence-number";
    let kit = a_blob();
    kit.page_blob("/one/p", 4);
    kit.write_pages("/one/p", 0, 4, 7).expect(201);
    let target = "/one/p?comp=properties";
    set(&kit, target, &[(LENGTH, "1024")]).expect(200);
    set(&kit, target, &[(LENGTH, "2048")]).expect(200);
    let read = kit.ask("GET", "/one/p").send().expect(200);
    assert_eq!((read.body[1023], read.body[1024], read.body.len()), (7, 0, 2048));
    let number = |headers: &[(&str, &str)]| {
        set(&kit, target, headers).expect(200).header(NUMBER).parse::<u64>().unwrap()
    };
    assert_eq!(number(&[(ACTION, "update"), (NUMBER, "7")]), 7);
    assert_eq!(number(&[(ACTION, "max"), (NUMBER, "3")]), 7);
    assert_eq!(number(&[(ACTION, "max"), (NUMBER, "9")]), 9);
    assert_eq!(number(&[(ACTION, "increment")]), 10);
    let write = kit.ask("PUT", "/one/p?comp=page").header("x-ms-page-write", "clear");
    let write =
        write.header("x-ms-range", "bytes=0-511").header("x-ms-if-sequence-number-lt", "10");
    write.send().refused(412, "SequenceNumberConditionNotMet");
    for (headers, code) in [
        (vec![(LENGTH, "513")], "InvalidHeaderValue"),
        (vec![(LENGTH, "-512")], "InvalidHeaderValue"),
        (vec![(LENGTH, "17592186044416")], "InvalidHeaderValue"),
        (vec![(ACTION, "add"), (NUMBER, "1")], "InvalidHeaderValue"),
        (vec![(ACTION, "increment"), (NUMBER, "1")], "InvalidHeaderValue"),
        (vec![(ACTION, "update"), (NUMBER, "9223372036854775808")], "InvalidHeaderValue"),
        (vec![(ACTION, "max")], "MissingRequiredHeader"),
        (vec![(NUMBER, "1")], "MissingRequiredHeader"),
    ] {
        set(&kit, target, &headers).refused(400, code);
    }
    assert_eq!(kit.head("/one/p").header(NUMBER), "10");
    set(&kit, "/one/a?comp=properties", &[(LENGTH, "512")]).refused(409, "InvalidBlobType");
}

#[test]
fn tags_are_kept_apart_from_the_etag() {
    let kit = a_blob();
    let etag = kit.head("/one/a").header("etag").to_owned();
    let put = |body: &str| kit.ask("PUT", "/one/a?comp=tags").body(body.as_bytes()).send();
    let tag = |key: &str| format!("<Tag><Key>{key}</Key><Value>v 1</Value></Tag>");
    let document =
        |tags: &str| format!("<?xml version=\"1.0\"?><Tags><TagSet>{tags}</TagSet></Tags>");
    put(&document(&(tag("a") + &tag("b")))).expect(204);
    let read = kit.ask("GET", "/one/a?comp=tags").send().expect(200);
    assert!(read.text().ends_with(&format!(
        "<Tags><TagSet>{}{}</TagSet></Tags>",
        tag("a"),
        tag("b")
    )));
    let head = kit.head("/one/a").expect(200);
    assert_eq!((head.header("x-ms-tag-count"), head.header("etag")), ("2", &*etag));
    let when = |clause: &str| kit.ask("GET", "/one/a").header("x-ms-if-tags", clause).send();
    when("\"a\" = 'v 1'").expect(200);
    when("\"a\" = 'other'").refused(412, "ConditionNotMet");
    for body in ["", "<Tags/>", "<Tags><TagSet><Tag></TagSet></Tags>", "<Other/>"] {
        put(body).refused(400, "InvalidXmlDocument");
    }
    let eleven: String = (0..11).map(|number| tag(&format!("k{number}"))).collect();
    for tags in [tag(""), tag(&"k".repeat(129)), tag("a") + &tag("a"), tag("a&amp;b"), eleven] {
        put(&document(&tags)).refused(400, "InvalidTag");
    }
    assert_eq!(kit.head("/one/a").header("x-ms-tag-count"), "2");
    put(&document("")).expect(204);
    assert_eq!(kit.head("/one/a").header("x-ms-tag-count"), "");
}

#[test]
fn a_blob_comes_back_from_the_archive_on_the_clock() {
    const TIER: &str = "x-ms-access-tier";
    let kit = a_blob();
    let tier = |name: &str, priority: &str| {
        let headers = [(TIER, name), ("x-ms-rehydrate-priority", priority)];
        set(&kit, "/one/a?comp=tier", &headers)
    };
    let etag = kit.head("/one/a").header("etag").to_owned();
    tier("Cool", "Standard").expect(200);
    assert_eq!(kit.head("/one/a").header(TIER), "Cool");
    tier("Archive", "Standard").expect(200);
    for (method, target) in
        [("GET", "/one/a"), ("PUT", "/one/a?comp=snapshot"), ("PUT", "/one/a?comp=metadata")]
    {
        kit.ask(method, target).send().refused(409, "BlobArchived");
    }
    kit.copy("/one/a", "/one/b").send().refused(409, "BlobArchived");
    let copied = kit.copy("/one/a", "/one/b").header(TIER, "Hot").send().expect(202);
    assert_eq!(copied.header("x-ms-copy-status"), "success");
    let head = kit.head("/one/b").expect(200);
    assert_eq!(head.header("x-ms-archive-status"), "rehydrate-pending-to-hot");
    kit.copy("/one/b", "/one/a").send().refused(409, "BlobBeingRehydrated");

    tier("Hot", "Standard").expect(202);
    let head = kit.head("/one/a").expect(200);
    assert_eq!((head.header(TIER), head.header("etag")), ("Archive", &*etag));
    assert_eq!(head.header("x-ms-archive-status"), "rehydrate-pending-to-hot");
    assert_eq!(head.header("x-ms-rehydrate-priority"), "Standard");
    tier("Cool", "Standard").refused(409, "BlobBeingRehydrated");
    tier("Hot", "High").expect(202);
    tier("Hot", "Standard").refused(409, "BlobBeingRehydrated");
    kit.advance(3600);
    kit.ask("GET", "/one/a").send().expect(200);
    let head = kit.head("/one/a");
    assert_eq!((head.header(TIER), head.header("x-ms-archive-status")), ("Hot", ""));
    assert_eq!(head.header("x-ms-access-tier-change-time"), "Thu, 01 Jan 2026 01:00:00 GMT");
    assert_eq!(kit.head("/one/b").header(TIER), "Archive");
    kit.advance(14 * 3600);
    assert_eq!(kit.head("/one/b").header(TIER), "Hot");
}

#[test]
fn tiers_that_do_not_fit_are_refused() {
    const TIER: &str = "x-ms-access-tier";
    let kit = a_blob();
    kit.page_blob("/one/p", (64 << 30) / 512);
    kit.ask("PUT", "/one/log").header("x-ms-blob-type", "AppendBlob").send().expect(201);
    let tier =
        |blob: &str, name: &str| set(&kit, &format!("/one/{blob}?comp=tier"), &[(TIER, name)]);
    tier("a", "Warm").refused(400, "InvalidBlobTier");
    tier("a", "P10").refused(400, "InvalidBlobTier");
    tier("log", "Hot").refused(409, "InvalidBlobType");
    tier("p", "P4").refused(409, "BlobTierInadequateForContentLength");
    tier("p", "P20").expect(200);
    tier("p", "P6").refused(409, "CannotChangeToLowerTier");
    assert_eq!(kit.head("/one/p").header(TIER), "P20");
    set(&kit, "/one/a?comp=tier", &[]).refused(400, "MissingRequiredHeader");
    let old = [("x-ms-version", "2021-10-04"), (TIER, "Cold")];
    set(&kit, "/one/a?comp=tier", &old).refused(400, "InvalidBlobTier");
}

#[test]
fn a_deletion_may_depend_on_when_the_tier_changed() {
    let kit = plain();
    kit.container("one");
    kit.block_blob("/one/a", b"a");
    kit.advance(86_400);
    let (before, made) = ("Wed, 31 Dec 2025 23:59:59 GMT", "Thu, 01 Jan 2026 00:00:00 GMT");
    let delete = |name: &str, date: &str, version: &str| {
        let ask = kit.ask("DELETE", "/one/a").header("x-ms-version", version);
        ask.header(&format!("x-ms-access-tier-if-{name}-since"), date).send()
    };
    const NEW: &str = "2026-04-06";
    // For a tier that never changed, the blob's creation time counts.
    delete("modified", made, NEW).refused(412, "ConditionNotMet");
    delete("unmodified", before, NEW).refused(412, "ConditionNotMet");
    let tier = kit.ask("PUT", "/one/a?comp=tier").header("x-ms-access-tier", "Cool");
    tier.send().expect(200);
    delete("unmodified", made, NEW).refused(412, "ConditionNotMet");
    delete("modified", "soon", NEW).refused(400, "InvalidHeaderValue");
    delete("modified", made, "2026-02-06").refused(400, "UnsupportedHeader");
    kit.head("/one/a").expect(200);
    delete("modified", made, NEW).expect(202);
    kit.head("/one/a").expect(404);
}
