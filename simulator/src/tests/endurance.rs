//! What tests of many copies need: throttling, faults of every kind by chance, writes that land
//! late, counts without a log, and containers that are full from the start.

use std::{collections::BTreeSet, time::Duration};

use super::kit::{Ask, Kit, Reply, kit, plain};
use crate::{DEFAULT_ACCOUNT, Op, faults::Delivery};

/// Writes one page with the sequence number that its run expects.
fn put_page(kit: &Kit, byte: u8, number: u64) -> Reply {
    let ask = kit.ask("PUT", "/one/disk?comp=page").header("x-ms-page-write", "update");
    let ask = ask.header("x-ms-if-sequence-number-eq", &number.to_string());
    ask.header("x-ms-range", "bytes=0-511").body(&[byte; 512]).send()
}

fn raise<'a>(kit: &'a Kit, number: &str) -> Ask<'a> {
    let ask = kit.ask("PUT", "/one/disk?comp=properties");
    let ask = ask.header("x-ms-sequence-number-action", "max");
    ask.header("x-ms-blob-sequence-number", number)
}

#[test]
fn a_page_write_of_a_dead_run_lands_late_unless_the_sequence_number_was_raised() {
    for raised in [false, true] {
        let kit = plain();
        kit.container("one");
        kit.page_blob("/one/disk", 1);
        kit.sim.faults().on(Op::PutPage).land_late(Duration::from_secs(60)).times(1);
        assert_eq!(put_page(&kit, 1, 0).delivery, Delivery::Broken);
        if raised {
            let answer = raise(&kit, "7").send().expect(200);
            assert_eq!(answer.header("x-ms-blob-sequence-number"), "7");
            // A repeat, or one that lands late with a lower number, changes nothing.
            for lower in ["7", "3"] {
                let answer = raise(&kit, lower).send().expect(200);
                assert_eq!(answer.header("x-ms-blob-sequence-number"), "7");
            }
        }
        put_page(&kit, 2, if raised { 7 } else { 0 }).expect(201);
        kit.advance(61);
        let page = kit.ask("GET", "/one/disk").send().expect(200).body;
        assert_eq!(page[0], if raised { 2 } else { 1 });
        let late = kit.sim.requests().into_iter().rfind(|seen| seen.op() == Op::PutPage).unwrap();
        let code = raised.then_some("SequenceNumberConditionNotMet");
        assert_eq!((late.code(), late.delivered()), (code, false));
    }
}

#[test]
fn a_page_write_from_a_url_lands_late_too() {
    let kit = plain();
    kit.container("one");
    kit.page_blob("/one/source", 1);
    kit.write_pages("/one/source", 0, 1, 5).expect(201);
    kit.page_blob("/one/disk", 1);
    kit.sim.faults().on(Op::PutPageFromUrl).land_late(Duration::from_secs(60)).times(1);
    let sas = super::kit::source_sas("/one/source");
    let source = format!("{}/{DEFAULT_ACCOUNT}/one/source?{sas}", super::kit::HOST);
    let put = || {
        let ask = kit.ask("PUT", "/one/disk?comp=page").header("x-ms-page-write", "update");
        let ask = ask.header("x-ms-range", "bytes=0-511").header("x-ms-copy-source", &source);
        ask.header("x-ms-source-range", "bytes=0-511").send()
    };
    assert_eq!(put().delivery, Delivery::Broken);
    kit.advance(59);
    assert_eq!(kit.ask("GET", "/one/disk").send().body[0], 0);
    kit.advance(1);
    assert_eq!(kit.ask("GET", "/one/disk").send().body[0], 5);
    // With a checksum of the source it answers that one, else the CRC-64.
    assert_eq!(put().expect(201).header("x-ms-content-crc64").len(), 12);
}

#[test]
fn faults_of_every_kind_strike_by_chance_side_by_side() {
    let kit = kit(|builder| builder.seed(3));
    kit.container("one");
    kit.block_blob("/one/a", &[7; 100]);
    let faults = kit.sim.faults();
    let second = Duration::from_secs(1);
    faults.on_any().answer(500, "InternalError").chance(0.05);
    faults.on_any().answer(503, "ServerBusy").retry_after(second).chance(0.05);
    faults.on_any().reset().chance(0.05);
    faults.on_any().lose_answer().chance(0.05);
    faults.on_any().land_late(second).chance(0.05);
    faults.on_any().stall(second).chance(0.05);
    faults.on_any().truncate_body(10).chance(0.05);
    faults.on_any().garble_body().chance(0.05);
    faults.on_any().drop_header("etag").chance(0.05);
    faults.on_any().duplicate_header("etag").chance(0.05);
    let mut seen = BTreeSet::new();
    let mut struck = 0;
    for _ in 0..1000 {
        let reply = kit.ask("GET", "/one/a").send();
        let etags = reply.headers.get_all("etag").iter().count();
        let garbled = reply.status == 200 && reply.body != [7; 100];
        let kind = format!("{} {:?} {etags} {garbled}", reply.status, reply.delivery);
        struck += u32::from(kind != "200 Whole 1 false");
        seen.insert(kind);
    }
    assert!((340..460).contains(&struck), "{struck} of 1000: 40 % by ten rules of 5 %");
    // A reset and a late landing look the same from outside.
    assert_eq!(seen.len(), 10, "{seen:?}");
}

#[test]
fn a_throttle_lets_its_rate_through_however_it_is_asked() {
    let kit = kit(|builder| builder.keep_requests(0));
    kit.container("one");
    kit.block_blob("/one/a", b"a");
    kit.sim.faults().on_any().throttle(2000);
    let step = Duration::from_millis(100);
    let mut passed = 0;
    for _ in 0..100 {
        passed += (0..300).filter(|_| kit.head("/one/a").status == 200).count();
        kit.sim.clock().advance(step);
    }
    // Ten seconds, and the burst of the first one.
    assert!((20_000..=22_000).contains(&passed), "{passed}");
}

#[test]
fn only_what_is_asked_for_in_small_ranges_gets_an_answer() {
    let kit = plain();
    kit.container("one");
    kit.page_blob("/one/disk", 8);
    let rule = kit.sim.faults().on(Op::GetPageRanges).wider_than(1024);
    rule.answer(500, "OperationTimedOut");
    let ask = || kit.ask("GET", "/one/disk?comp=pagelist");
    ask().send().refused(500, "OperationTimedOut");
    for range in ["bytes=0-", "bytes=0-1535", "bytes=512-2047"] {
        ask().header("x-ms-range", range).send().refused(500, "OperationTimedOut");
    }
    ask().header("x-ms-range", "bytes=512-1535").send().expect(200);
    kit.ask("GET", "/one/disk").send().expect(200);
}

#[test]
fn requests_are_counted_when_none_is_kept() {
    for kept in [0, 2] {
        let kit = kit(|builder| builder.keep_requests(kept));
        kit.container("one");
        for _ in 0..5 {
            kit.head("/one/a").expect(404);
        }
        assert_eq!(kit.sim.requests().len(), kept);
        let counts: Vec<_> = kit.sim.counts().into_iter().collect();
        assert_eq!(counts, [(Op::CreateContainer, 1), (Op::GetBlobProperties, 5)]);
        kit.sim.forget_requests();
        kit.head("/one/a").expect(404);
        assert_eq!(
            (kit.sim.count(Op::GetBlobProperties), kit.sim.requests().len()),
            (1, kept.min(1))
        );
    }
}

#[test]
fn a_filled_container_has_blobs_like_any_other() {
    let kit = plain();
    kit.sim.fill(DEFAULT_ACCOUNT, "many", 12, 100);
    kit.sim.fill(DEFAULT_ACCOUNT, "many", 13, 100);
    kit.sim.fill(DEFAULT_ACCOUNT, "empty", 1, 0);
    let list = kit.ask("GET", "/many?restype=container&comp=list").send().expect(200);
    assert_eq!(list.text().matches("<Blob>").count(), 13);
    let mut contents = BTreeSet::new();
    for number in 0..13 {
        let blob = kit.ask("GET", &format!("/many/blob-{number:08}")).send().expect(200);
        let put = kit.ask("PUT", "/many/again").header("x-ms-blob-type", "BlockBlob");
        let put = put.body(&blob.body).send().expect(201);
        assert_eq!(blob.header("content-md5"), put.header("content-md5"));
        assert_eq!(blob.header("content-type"), "application/octet-stream");
        contents.insert(blob.body);
    }
    assert_eq!(contents.len(), 13);
    assert!(contents.iter().all(|content| content.len() == 100));
    let empty = kit.ask("GET", "/empty/blob-00000000").send().expect(200);
    assert_eq!(empty.header("content-md5"), "1B2M2Y8AsgTpgAmY7PhCfg==");
}

#[test]
fn staged_blocks_alone_can_be_listed_and_deleted() {
    let kit = plain();
    kit.container("one");
    let block = |id: &str| kit.ask("PUT", &format!("/one/a?comp=block&blockid={id}")).body(b"xyz");
    block("AAAA").send().expect(201);
    block("QQ%3D%3D").send().expect(201);
    kit.ask("DELETE", "/one/a").send().expect(202);
    block("QUFBQUFB").send().expect(201);
    block("AAAA").send().refused(400, "InvalidBlobOrBlock");
    kit.head("/one/a").expect(404);
    let list = kit.ask("GET", "/one/a?comp=blocklist&blocklisttype=uncommitted").send().expect(200);
    assert!(list.text().contains("<Name>QUFBQUFB</Name><Size>3</Size>"), "{}", list.text());
    assert!(
        !list.text().contains("CommittedBlocks>") || !list.text().contains("<CommittedBlocks>")
    );
    kit.ask("DELETE", "/one/a").send().expect(202);
    kit.ask("GET", "/one/a?comp=blocklist&blocklisttype=all").send().refused(404, "BlobNotFound");
    kit.ask("DELETE", "/one/a").send().refused(404, "BlobNotFound");
    block("AAAA").send().expect(201);
}
