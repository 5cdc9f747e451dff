//! Costs that must not grow: that of a request with the number of pending copies, and that of a
//! copy with its number of blocks.

use std::{sync::Arc, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};

use super::kit::{Kit, kit};
use crate::{
    DEFAULT_ACCOUNT, Simulator,
    model::content::{Block, Content},
    wire::route::BlobAddress,
};

const COPIES: usize = 500;

/// A simulator with this many pending copies, which take an hour.
fn with_copies(queued: bool) -> Kit {
    let hour = Duration::from_secs(3600);
    let kit = kit(|builder| builder.copy_duration(hour).queue_copies(queued));
    kit.container("one");
    kit.container("two");
    kit.block_blob("/one/source", b"0123456789");
    for at in 0..COPIES {
        kit.copy("/one/source", &format!("/two/{at}")).send().expect(202);
    }
    kit
}

/// How many copies are checked meanwhile.
fn looks(kit: &Kit, during: impl FnOnce()) -> u64 {
    let before = kit.sim.shared.service().state.copies.looks;
    during();
    kit.sim.shared.service().state.copies.looks - before
}

#[test]
fn a_request_looks_at_those_copies_only_that_it_asks_for() {
    for queued in [false, true] {
        let kit = with_copies(queued);
        kit.advance(60);
        let ask = |target: &str| looks(&kit, || drop(kit.ask("GET", target).send()));
        assert_eq!(looks(&kit, || drop(kit.head("/one/source").expect(200))), 0);
        assert_eq!(looks(&kit, || drop(kit.copy("/one/source", "/one/b").send().expect(202))), 0);
        assert_eq!(looks(&kit, || drop(kit.head("/two/7").expect(200))), 1);
        assert_eq!(ask("/one?restype=container&comp=list"), 1, "of the copy into this container");
        assert_eq!(ask("/two?restype=container&comp=list"), COPIES as u64);

        // Each ends at its time, whatever is requested, and is not checked again.
        kit.advance(3541);
        let ended = if queued { 1 } else { COPIES as u64 };
        assert!(looks(&kit, || drop(kit.head("/one/source").expect(200))) >= ended);
        assert_eq!(kit.sim.copies().pending() as u64, COPIES as u64 + 1 - ended);
        let first = kit.head("/two/0").expect(200);
        assert_eq!(first.header("x-ms-copy-status"), "success");
        assert_eq!(looks(&kit, || drop(kit.head("/one/source").expect(200))), 0);
    }
}

#[test]
fn copies_that_wait_for_each_other_end_one_an_hour() {
    let kit = with_copies(true);
    let status = |at: usize| kit.head(&format!("/two/{at}")).header("x-ms-copy-status").to_owned();
    kit.advance(3 * 3600 + 1);
    assert_eq!(kit.sim.copies().pending(), COPIES - 3);
    assert_eq!([2, 3, 4].map(status), ["success", "pending", "pending"]);
    // A copy removed in the middle, or at the head, lets the next one proceed.
    kit.sim.copies().into_blob("two", "4").complete();
    kit.sim.copies().into_blob("two", "3").fail(0, "500 InternalServerError");
    kit.advance(3601);
    assert_eq!([3, 4, 5, 6].map(status), ["failed", "success", "success", "pending"]);
    // Deleting the container removes the copies into it, and no copy waits for them.
    kit.copy("/one/source", "/one/last").send().expect(202);
    kit.ask("DELETE", "/two?restype=container").send().expect(202);
    kit.advance(3601);
    assert_eq!(kit.head("/one/last").header("x-ms-copy-status"), "success");
    assert_eq!(kit.sim.copies().pending(), 0);
}

#[test]
fn a_source_that_changes_is_noticed_by_those_who_ask_for_its_copies() {
    let kit = with_copies(false);
    kit.block_blob("/one/source", b"changed");
    let status = |path: &str| kit.head(path).header("x-ms-copy-status").to_owned();
    assert_eq!(status("/two/7"), "failed");
    // As the source of another copy it has failed as well.
    assert_eq!(looks(&kit, || drop(kit.copy("/two/8", "/one/b").send().expect(202))), 1);
    assert_eq!(kit.head("/two/8").header("content-length"), "0");
    kit.advance(3601);
    kit.head("/one/source").expect(200);
    assert_eq!(status("/two/9"), "failed");
    assert_eq!(kit.sim.copies().pending(), 0);
}

/// The blocks of a blob, or of one of its snapshots.
fn blocks(sim: &Simulator, blob: &str, snapshot: Option<&str>) -> Arc<[Block]> {
    let [account, container, blob] = [DEFAULT_ACCOUNT, "one", blob].map(str::to_owned);
    let service = sim.shared.service();
    let at = BlobAddress { account, container, blob };
    match &service.state.accounts.revision(&at, snapshot).unwrap().content {
        Content::Block(blocks) => blocks.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn blocks_are_shared_by_a_blob_its_snapshots_and_its_copies() {
    let kit = kit(|builder| builder);
    kit.container("one");
    let ids = ["a", "b"].map(|id| STANDARD.encode(id));
    for id in &ids {
        let target = format!("/one/a?comp=block&blockid={id}");
        kit.ask("PUT", &target).body(b"block").send().expect(201);
    }
    let list = ids.map(|id| format!("<Latest>{id}</Latest>")).concat();
    let list = format!("<BlockList>{list}</BlockList>");
    kit.ask("PUT", "/one/a?comp=blocklist").body(list.as_bytes()).send().expect(201);
    let snapshot = kit.snapshot("/one/a");
    kit.copy("/one/a", "/one/copy").send().expect(202);
    let own = blocks(&kit.sim, "a", None);
    assert_eq!(own.len(), 2);
    for (blob, snapshot) in [("a", Some(&*snapshot)), ("copy", None)] {
        assert!(Arc::ptr_eq(&own, &blocks(&kit.sim, blob, snapshot)), "{blob}");
    }
}

#[test]
fn what_is_appended_later_is_not_in_a_snapshot_that_shares_the_blocks() {
    let kit = kit(|builder| builder);
    kit.container("one");
    kit.ask("PUT", "/one/log").header("x-ms-blob-type", "AppendBlob").send().expect(201);
    let append = || kit.ask("PUT", "/one/log?comp=appendblock").body(b"more").send().expect(201);
    append();
    let snapshot = kit.snapshot("/one/log");
    append();
    let before = kit.ask("GET", &format!("/one/log?snapshot={snapshot}")).send().expect(200);
    let now = kit.ask("GET", "/one/log").send().expect(200);
    assert_eq!((before.text(), now.text()), ("more", "moremore"));
}
