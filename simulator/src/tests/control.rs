//! Faults, and control over copies.

use std::time::Duration;

use super::kit::{kit, plain};
use crate::{Op, faults::Delivery, wire::dates};

#[test]
fn faults_strike_what_they_are_aimed_at_and_as_often() {
    let kit = plain();
    kit.container("one");
    kit.block_blob("/one/a", b"0123456789");
    kit.block_blob("/one/b", b"b");
    let busy = kit.sim.faults().on(Op::GetBlobProperties).blob("a").after(1);
    busy.answer(503, "ServerBusy").retry_after(Duration::from_secs(7)).times(2);
    kit.head("/one/b").expect(200);
    kit.head("/one/a").expect(200);
    let refused = kit.head("/one/a").refused(503, "ServerBusy");
    assert_eq!(refused.header("retry-after"), "7");
    kit.head("/one/a").refused(503, "ServerBusy");
    kit.head("/one/a").expect(200);

    kit.sim.faults().on(Op::DeleteBlob).reset().times(1);
    assert_eq!(kit.ask("DELETE", "/one/a").send().delivery, Delivery::Broken);
    kit.head("/one/a").expect(200);
    kit.sim.faults().on_any().stall(Duration::from_secs(3)).times(1);
    assert_eq!(kit.head("/one/a").delivery, Delivery::Late(Duration::from_secs(3)));
    kit.sim.faults().on(Op::GetBlob).truncate_body(4);
    assert_eq!(kit.ask("GET", "/one/a").send().delivery, Delivery::CutAfter(4));
    kit.sim.faults().clear();
    kit.sim.faults().on(Op::DeleteBlob).lose_answer().times(1);
    assert_eq!(kit.ask("DELETE", "/one/a").send().delivery, Delivery::Broken);
    kit.head("/one/a").expect(404);

    let requests = kit.sim.requests();
    let lost = requests.iter().rfind(|request| request.op() == Op::DeleteBlob).unwrap();
    assert_eq!((lost.status(), lost.delivered(), lost.blob()), (202, false, Some("a")));
    assert_eq!(format!("{lost:?}"), "Delete Blob devstoreaccount1/one/a -> 202 (not delivered)");
}

#[test]
fn a_request_that_lands_late_is_applied_before_those_that_come_later() {
    let kit = plain();
    let _time = kit.enter();
    kit.container("one");
    kit.block_blob("/one/source", b"0123456789");
    let late = Duration::from_secs(60);
    kit.sim.faults().on(Op::CopyBlob).land_late(late).times(1);
    let lost = kit.copy("/one/source", "/one/copy").send();
    assert_eq!(lost.delivery, Delivery::Broken);
    kit.advance(59);
    kit.head("/one/copy").expect(404);
    assert_eq!((kit.sim.count(Op::CopyBlob), kit.sim.copies().started()), (0, 0));
    kit.advance(1);
    let landed = kit.head("/one/copy").expect(200);
    assert_eq!(landed.header("x-ms-copy-status"), "success");
    let request = kit.sim.requests().into_iter().rfind(|it| it.op() == Op::CopyBlob).unwrap();
    assert_eq!((request.status(), request.delivered()), (202, false));
    assert_eq!(request.at(), kit.sim.clock().now());

    // The last request to arrive wins, whenever it was sent; each arrives at its own time.
    for (byte, seconds) in [(b"a", 30), (b"b", 10)] {
        let late = Duration::from_secs(seconds);
        kit.sim.faults().on(Op::PutBlob).land_late(late).times(1);
        let put = kit.ask("PUT", "/one/late").header("x-ms-blob-type", "BlockBlob");
        assert_eq!(put.body(byte).send().delivery, Delivery::Broken);
    }
    kit.advance(20);
    assert_eq!(kit.ask("GET", "/one/late").send().expect(200).body, b"b");
    let begun = kit.sim.clock().now();
    kit.advance(3600);
    let got = kit.ask("GET", "/one/late").send().expect(200);
    let landed = dates::http_date(begun + Duration::from_secs(10));
    assert_eq!((got.body.as_slice(), got.header("last-modified")), (&b"a"[..], &*landed));
}

#[test]
fn what_lands_late_is_judged_when_it_lands() {
    let kit = plain();
    kit.container("one");
    let put = || {
        kit.sim.faults().on(Op::PutBlob).land_late(Duration::from_secs(600)).times(1);
        let put = kit.ask("PUT", "/one/a").header("x-ms-blob-type", "BlockBlob").body(b"late");
        assert_eq!(put.header("if-none-match", "*").send().delivery, Delivery::Broken);
    };
    let seen = || kit.sim.requests().last().map(|last| last.code().unwrap_or("").to_owned());
    put();
    kit.block_blob("/one/a", b"first");
    kit.advance(600);
    assert_eq!(seen().unwrap(), "BlobAlreadyExists");
    kit.ask("DELETE", "/one/a").send().expect(202);
    // A signature is valid for 15 minutes.
    kit.sim.faults().on(Op::PutBlob).land_late(Duration::from_secs(901)).times(1);
    kit.ask("PUT", "/one/a").header("x-ms-blob-type", "BlockBlob").send();
    kit.advance(901);
    kit.head("/one/a").expect(404);
    assert_eq!(
        kit.sim.requests().iter().rev().nth(1).unwrap().code(),
        Some("AuthenticationFailed")
    );
}

#[test]
fn answers_are_garbled_and_headers_doubled_or_left_out() {
    let kit = plain();
    kit.container("one");
    kit.block_blob("/one/a", b"0123456789");
    let get = || kit.ask("GET", "/one/a").send().expect(200);
    kit.sim.faults().on(Op::GetBlob).garble_body().times(1);
    let garbled = get();
    assert_eq!(garbled.body.len(), 10);
    assert!(garbled.body.iter().zip(b"0123456789").all(|(wrong, right)| wrong != right));
    kit.sim.faults().on(Op::GetBlob).duplicate_header("ETag").times(1);
    assert_eq!(get().headers.get_all("etag").iter().count(), 2);
    kit.sim.faults().on(Op::GetBlob).drop_header("etag").times(1);
    assert_eq!(get().headers.get_all("etag").iter().count(), 0);
    assert_eq!(
        (get().body.as_slice(), get().headers.get_all("etag").iter().count()),
        (&b"0123456789"[..], 1)
    );
}

#[test]
fn above_its_rate_a_throttle_says_to_come_back_later() {
    let kit = plain();
    kit.container("one");
    kit.block_blob("/one/a", b"a");
    kit.sim.faults().on(Op::GetBlobProperties).throttle(3);
    let statuses = |count| (0..count).map(|_| kit.head("/one/a").status).collect::<Vec<_>>();
    assert_eq!(statuses(5), [200, 200, 200, 503, 503]);
    let refused = kit.head("/one/a").refused(503, "ServerBusy");
    assert_eq!(refused.header("retry-after"), "1");
    kit.sim.clock().advance(Duration::from_millis(334));
    assert_eq!(statuses(2), [200, 503]);
    kit.advance(60);
    assert_eq!(statuses(4), [200, 200, 200, 503]);
    kit.ask("GET", "/one/a").send().expect(200);
}

#[test]
fn chance_follows_from_the_seed() {
    let run = |seed| {
        let kit = kit(|builder| builder.seed(seed));
        kit.container("one");
        kit.block_blob("/one/a", b"a");
        kit.sim.faults().on_any().answer(500, "InternalError").chance(0.25);
        (0..200).map(|_| kit.head("/one/a").status).collect::<Vec<_>>()
    };
    let failures = run(1).iter().filter(|status| **status == 500).count();
    assert!((25..75).contains(&failures), "{failures} of 200");
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
}

#[test]
fn a_clock_that_is_far_off_refuses_what_is_signed() {
    let kit = plain();
    kit.container("one");
    let skew = |minutes| kit.sim.faults().skew_clock(time::Duration::minutes(minutes));
    let properties = || kit.ask("HEAD", "/one?restype=container").send();
    skew(-14);
    assert_eq!(properties().expect(200).header("date"), "Wed, 31 Dec 2025 23:46:00 GMT");
    for minutes in [-16, 16] {
        skew(minutes);
        properties().refused(403, "AuthenticationFailed");
    }
    kit.sim.faults().clear();
    properties().expect(200);
}

#[test]
fn copies_are_held_released_failed_and_completed() {
    let kit = kit(|builder| builder.copy_rate(1));
    kit.container("one");
    kit.block_blob("/one/a", b"0123456789");
    let _guard = kit.enter();
    let copies = kit.sim.copies();
    let status = |path: &str| kit.head(path).header("x-ms-copy-status").to_owned();
    let progress = |path: &str| kit.head(path).header("x-ms-copy-progress").to_owned();

    copies.hold();
    kit.copy("/one/a", "/one/b").send().expect(202);
    kit.advance(100);
    assert_eq!(progress("/one/b"), "0/10");
    copies.release();
    kit.advance(4);
    assert_eq!(progress("/one/b"), "4/10");
    let into = copies.into_blob("one", "b");
    assert!(into.hold());
    assert!(into.describe("502 BadGateway \"Trouble.\""));
    kit.advance(4);
    assert_eq!(progress("/one/b"), "4/10");
    let described = kit.head("/one/b");
    assert_eq!(described.header("x-ms-copy-status-description"), "502 BadGateway \"Trouble.\"");
    assert!(into.complete() && !into.complete());
    assert_eq!((status("/one/b"), copies.pending()), ("success".to_owned(), 0));

    copies.fail_next(3, "500 InternalServerError \"Copy failed.\"");
    kit.copy("/one/a", "/one/c").send().expect(202);
    kit.advance(2);
    assert_eq!(status("/one/c"), "pending");
    kit.advance(5);
    let failed = kit.head("/one/c");
    assert_eq!(failed.header("x-ms-copy-progress"), "3/10");
    assert_eq!(
        failed.header("x-ms-copy-status-description"),
        "500 InternalServerError \"Copy failed.\""
    );
    kit.copy("/one/a", "/one/d").send().expect(202);
    assert!(copies.into_blob("one", "d").fail(9, "404 ResourceNotFound \"Gone.\""));
    assert_eq!((status("/one/d"), progress("/one/d")), ("failed".to_owned(), "9/10".to_owned()));
    assert_eq!(copies.started(), 3);
}

#[test]
fn the_same_seed_gives_the_same_run() {
    let run = |seed| {
        let kit = kit(|builder| builder.seed(seed));
        kit.container("one");
        kit.block_blob("/one/a", b"a");
        let copy = kit.copy("/one/a", "/one/b").send();
        format!("{:?}", copy.headers)
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
}
