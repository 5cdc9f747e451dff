//! List Blobs and List Containers.

use super::kit::{Kit, Reply, kit, plain};
use crate::{ListedSnapshot, SimulatorBuilder};

/// The texts of every element with this name, in order.
fn texts<'a>(reply: &'a Reply, element: &str) -> Vec<&'a str> {
    let (open, close) = (format!("<{element}>"), format!("</{element}>"));
    let rest = reply.text().split(&open).skip(1);
    rest.map(|piece| piece.split_once(&close).unwrap().0).collect()
}

fn list(kit: &Kit, query: &str) -> Reply {
    kit.ask("GET", &format!("/one?restype=container&comp=list{query}")).send()
}

fn with_blobs(names: &[&str]) -> Kit {
    let kit = plain();
    kit.container("one");
    for name in names {
        kit.block_blob(&format!("/one/{name}"), b"x");
    }
    kit
}

#[test]
fn a_flat_list_is_in_the_order_of_the_names_and_echoes_what_was_asked() {
    let kit = with_blobs(&["b", "a/2", "B", "a/1"]);
    let all = list(&kit, "").expect(200);
    assert_eq!(all.header("content-type"), "application/xml");
    assert!(all.text().contains(
        "<EnumerationResults ServiceEndpoint=\"http://127.0.0.1:10000/devstoreaccount1\" \
         ContainerName=\"one\"><Blobs>"
    ));
    assert!(all.text().ends_with("</Blobs><NextMarker /></EnumerationResults>"));
    assert_eq!(texts(&all, "Name"), ["B", "a/1", "a/2", "b"]);
    let some = list(&kit, "&prefix=a/&maxresults=9").expect(200);
    assert_eq!(texts(&some, "Name"), ["a/1", "a/2"]);
    assert!(some.text().contains("<Prefix>a/</Prefix><MaxResults>9</MaxResults>"));
    let later = list(&kit, "&startFrom=a/2").expect(200);
    assert_eq!(texts(&later, "Name"), ["a/2", "b"]);
}

#[test]
fn the_properties_are_those_of_the_blob() {
    let kit = with_blobs(&[]);
    let put = kit.ask("PUT", "/one/a").header("x-ms-blob-type", "BlockBlob").body(b"hello");
    let put = put.header("x-ms-blob-content-type", "text/<plain>").header("x-ms-meta-k", "v&w");
    let etag = put.header("x-ms-tags", "t=1").send().expect(201).header("etag").to_owned();
    kit.page_blob("/one/p", 1);
    let listed = list(&kit, "&include=metadata%2Ctags").expect(200);
    let text = listed.text();
    let block = format!(
        "<Blob><Name>a</Name><Properties><Creation-Time>Thu, 01 Jan 2026 00:00:00 GMT\
         </Creation-Time><Last-Modified>Thu, 01 Jan 2026 00:00:00 GMT</Last-Modified>\
         <Etag>{}</Etag><Content-Length>5</Content-Length>\
         <Content-Type>text/&lt;plain&gt;</Content-Type><Content-Encoding /><Content-Language />\
         <Content-CRC64 /><Content-MD5>XUFAKrxLKna5cZ2REBfFkg==</Content-MD5><Cache-Control />\
         <Content-Disposition /><BlobType>BlockBlob</BlobType><AccessTier>Hot</AccessTier>\
         <AccessTierInferred>true</AccessTierInferred><LeaseStatus>unlocked</LeaseStatus>\
         <LeaseState>available</LeaseState><ServerEncrypted>true</ServerEncrypted>\
         <TagCount>1</TagCount></Properties><Metadata><k>v&amp;w</k></Metadata>\
         <Tags><TagSet><Tag><Key>t</Key><Value>1</Value></Tag></TagSet></Tags><OrMetadata /></Blob>",
        etag.trim_matches('"')
    );
    assert!(text.contains(&block), "{text}");
    assert!(text.contains("<x-ms-blob-sequence-number>0</x-ms-blob-sequence-number>"));
    assert!(!list(&kit, "").text().contains("<Metadata>"));
}

#[test]
fn by_hierarchy_a_prefix_stands_for_all_below_it_and_counts_as_one() {
    let kit = with_blobs(&["a", "b/1", "b/2", "b/c/3", "b0", "d/4"]);
    let top = list(&kit, "&delimiter=/").expect(200);
    assert_eq!(texts(&top, "Name"), ["a", "b/", "b0", "d/"]);
    assert!(top.text().contains("<Delimiter>/</Delimiter>"));
    assert!(top.text().contains("<BlobPrefix><Name>b/</Name></BlobPrefix>"));
    let below = list(&kit, "&delimiter=/&prefix=b/").expect(200);
    assert_eq!(texts(&below, "Name"), ["b/1", "b/2", "b/c/"]);
    let mut seen = Vec::new();
    let mut marker = String::new();
    loop {
        let page = list(&kit, &format!("&delimiter=/&maxresults=1{marker}")).expect(200);
        seen.extend(texts(&page, "Name").into_iter().map(str::to_owned));
        match texts(&page, "NextMarker").first() {
            Some(next) => marker = format!("&marker={}", next.replace('=', "%3D")),
            None => break,
        }
    }
    assert_eq!(seen, ["a", "b/", "b0", "d/"]);
    let both = list(&kit, "&delimiter=/&include=snapshots");
    assert!(both.refused(400, "InvalidQueryParameterValue").text().contains("include"));
}

#[test]
fn snapshots_come_oldest_first_before_their_blob_without_a_lease_also_across_pages() {
    let kit = with_blobs(&["a", "b"]);
    let taken = [kit.snapshot("/one/a"), kit.snapshot("/one/a"), kit.snapshot("/one/a")];
    kit.snapshot("/one/b");
    let all = list(&kit, "&include=snapshots").expect(200);
    assert_eq!(texts(&all, "Name"), ["a", "a", "a", "a", "b", "b"]);
    assert_eq!(texts(&all, "Snapshot")[..3], taken);
    assert_eq!(texts(&all, "LeaseState").len(), 2);
    let (mut names, mut snapshots, mut marker) = (Vec::new(), Vec::new(), String::new());
    for _ in 0..3 {
        let page = list(&kit, &format!("&include=snapshots&maxresults=2{marker}")).expect(200);
        names.extend(texts(&page, "Name").into_iter().map(str::to_owned));
        snapshots.extend(texts(&page, "Snapshot").into_iter().map(str::to_owned));
        let next = texts(&page, "NextMarker").first().unwrap_or(&"").replace('=', "%3D");
        marker = format!("&marker={next}");
    }
    assert_eq!((names.len(), snapshots.len()), (6, 4));
    assert_eq!(snapshots, texts(&all, "Snapshot"));
    assert_eq!(marker, "&marker=");
}

#[test]
fn copies_are_listed_when_they_are_asked_for() {
    let kit = kit(|builder| builder.copy_rate(1));
    kit.container("one");
    kit.block_blob("/one/a", b"0123");
    kit.copy("/one/a", "/one/b").send().expect(202);
    kit.advance(1);
    assert!(!list(&kit, "").text().contains("<Copy"));
    let pending = list(&kit, "&include=copy").expect(200);
    assert_eq!(texts(&pending, "CopyStatus"), ["pending"]);
    assert_eq!(texts(&pending, "CopyProgress"), ["1/4"]);
    assert!(texts(&pending, "CopyCompletionTime").is_empty());
    kit.advance(3);
    let done = list(&kit, "&include=copy").expect(200);
    assert_eq!(texts(&done, "CopyStatus"), ["success"]);
    assert_eq!(texts(&done, "CopyCompletionTime"), ["Thu, 01 Jan 2026 00:00:04 GMT"]);
    assert_eq!(texts(&done, "CopyId"), [kit.head("/one/b").header("x-ms-copy-id")]);
}

#[test]
fn an_incremental_copy_is_listed_with_its_destination_snapshot_under_either_name() {
    type Setting = fn(SimulatorBuilder) -> SimulatorBuilder;
    let specified: Setting = |builder| builder.list_destination_snapshot(ListedSnapshot::Specified);
    for (setting, element) in [
        ((|builder| builder) as Setting, "CopyDestinationSnapshot"),
        (specified, "DestinationSnapshot"),
    ] {
        let kit = kit(setting);
        kit.container("one");
        kit.page_blob("/one/p", 1);
        let snapshot = kit.snapshot("/one/p");
        kit.incremental("/one/p", &snapshot, "/one/to").send().expect(202);
        let listed = list(&kit, "&include=copy%2Csnapshots&prefix=to").expect(200);
        let taken = kit.head("/one/to").header("x-ms-copy-destination-snapshot").to_owned();
        // Both the base blob and its snapshot.
        assert_eq!(texts(&listed, element), [&taken, &taken]);
        assert_eq!(texts(&listed, "IncrementalCopy"), ["true", "true"]);
        assert_eq!(texts(&listed, "Snapshot"), [&taken]);
    }
}

#[test]
fn uncommitted_blobs_are_listed_only_when_asked_for_and_for_a_week() {
    let kit = with_blobs(&["a", "c"]);
    for name in ["a", "b"] {
        let put = kit.ask("PUT", &format!("/one/{name}?comp=block&blockid=AAAA")).body(b"x");
        put.send().expect(201);
    }
    assert_eq!(texts(&list(&kit, ""), "Name"), ["a", "c"]);
    let all = list(&kit, "&include=uncommittedblobs").expect(200);
    assert_eq!(texts(&all, "Name"), ["a", "b", "c"]);
    assert_eq!((texts(&all, "Etag").len(), texts(&all, "Last-Modified").len()), (2, 2));
    kit.advance(8 * 86_400);
    assert_eq!(texts(&list(&kit, "&include=uncommittedblobs"), "Name"), ["a", "c"]);
}

#[test]
fn a_name_that_xml_cannot_hold_is_encoded_since_2021_02_12() {
    let kit = with_blobs(&["a%20%EF%BF%BE"]);
    let listed = list(&kit, "").expect(200);
    assert!(listed.text().contains("<Name Encoded=\"true\">a%20%EF%BF%BE</Name>"));
    let old = kit.ask("GET", "/one?restype=container&comp=list");
    let old = old.header("x-ms-version", "2020-12-06").send().expect(200);
    assert!(old.text().contains("<Name>a \u{fffd}</Name>"));
}

#[test]
fn however_many_blocks_were_thrown_away_a_list_steps_over_them() {
    let kit = with_blobs(&["z"]);
    for number in 0..20_000 {
        let put = format!("/one/{number}?comp=block&blockid=QQ%3D%3D");
        kit.ask("PUT", &put).body(b"x").send().expect(201);
    }
    kit.advance(7 * 24 * 60 * 60);
    kit.ask("PUT", "/one/y?comp=block&blockid=QQ%3D%3D").body(b"x").send().expect(201);
    let found = list(&kit, "&include=uncommittedblobs").expect(200);
    assert_eq!(texts(&found, "Name"), ["y", "z"]);
    let service = kit.sim.shared.service();
    assert_eq!(
        service.state.accounts.container("devstoreaccount1", "one").unwrap().staged.len(),
        1
    );
}

#[test]
fn what_cannot_be_listed_is_refused_with_the_parameter_named() {
    let kit = with_blobs(&[]);
    for (query, code) in [
        ("&maxresults=0", "OutOfRangeQueryParameterValue"),
        ("&maxresults=-1", "OutOfRangeQueryParameterValue"),
        ("&maxresults=many", "InvalidQueryParameterValue"),
        ("&marker=never", "InvalidQueryParameterValue"),
        ("&include=everything", "InvalidQueryParameterValue"),
    ] {
        let refused = list(&kit, query).refused(400, code);
        let name = query[1..].split_once('=').unwrap().0;
        let named = format!("<QueryParameterName>{name}</QueryParameterName>");
        assert!(refused.text().contains(&named), "{query}");
    }
    let missing = kit.ask("GET", "/none?restype=container&comp=list").send();
    missing.refused(404, "ContainerNotFound");
    kit.ask("PUT", "/one/log").header("x-ms-blob-type", "AppendBlob").send().expect(201);
    let old = kit.ask("GET", "/one?restype=container&comp=list");
    old.header("x-ms-version", "2014-02-14").send().refused(409, "FeatureVersionMismatch");
}

#[test]
fn containers_are_listed_by_prefix_and_page() {
    let kit = plain();
    for name in ["abc", "abd", "xyz"] {
        let put = kit.ask("PUT", &format!("/{name}?restype=container"));
        put.header("x-ms-meta-of", name).send().expect(201);
    }
    let all = kit.ask("GET", "?comp=list&include=metadata").send().expect(200);
    assert_eq!(texts(&all, "Name"), ["abc", "abd", "xyz"]);
    assert_eq!(texts(&all, "Metadata"), ["<of>abc</of>", "<of>abd</of>", "<of>xyz</of>"]);
    let first = kit.ask("GET", "?comp=list&prefix=ab&maxresults=1").send().expect(200);
    assert_eq!(texts(&first, "Name"), ["abc"]);
    let marker = texts(&first, "NextMarker")[0].replace('=', "%3D");
    let rest = kit.ask("GET", &format!("?comp=list&prefix=ab&marker={marker}")).send().expect(200);
    assert_eq!(texts(&rest, "Name"), ["abd"]);
    assert!(rest.text().contains("<NextMarker />"));
}
