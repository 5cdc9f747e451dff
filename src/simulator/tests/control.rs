//! Faults, and a test's hand on the copies.

use std::time::Duration;

use super::kit::{kit, plain};
use crate::simulator::{Op, faults::Delivery};

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
