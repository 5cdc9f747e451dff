//! Lists that take the service too long, that have many pages, or that it refuses.

use blobcopy_simulator::Op;

use super::world::{KIB, MIB, World};

#[tokio::test(start_paused = true)]
async fn a_difference_that_takes_too_long_is_asked_for_in_parts() {
    const LENGTH: u64 = 40 * MIB;
    let world = World::new(LENGTH).await;
    world.write(0, 4 * KIB, 1).await;
    world.snapshot().await;
    world.write(5 * MIB - 512, KIB, 2).await;
    world.write(20 * MIB, 3 * KIB, 3).await;
    world.disk.clear_pages(0..2 * KIB).await.expect("cleared");
    world.write(LENGTH - 512, 512, 4).await;
    world.snapshot().await;
    let all = world.snapshots().await;
    let busy = world.sim.faults().on(Op::GetPageRanges).wider_than(5 * MIB);
    let _ = busy.answer(500, "OperationTimedOut");
    world.carry(&all[0]).await.expect("carried");
    let done = world.carry(&all[1]).await.expect("carried");
    assert_eq!((done.written, done.cleared, done.whole), (KIB + 3 * KIB + 512, 2 * KIB, false));
    world.sim.faults().clear();
    world.has(&all, "in parts").await;
    // Even the smallest part takes too long.
    world.snapshot().await;
    let all = world.snapshots().await;
    let _ = world.sim.faults().on(Op::GetPageRanges).answer(500, "OperationTimedOut");
    let error = world.carry(&all[2]).await.expect_err("too long");
    let code = error.as_call().and_then(crate::Error::code).expect("the service's").as_str();
    assert_eq!(code, "OperationTimedOut");
    world.sim.faults().clear();
    world.carry(&all[2]).await.expect("carried");
    world.has(&all, "later").await;
}

#[tokio::test(start_paused = true)]
async fn a_refused_difference_is_copied_whole_and_what_the_source_lacks_is_cleared() {
    let world = World::new(MIB).await;
    world.write(0, 8 * KIB, 1).await;
    world.write(64 * KIB, 8 * KIB, 2).await;
    world.snapshot().await;
    world.disk.clear_pages(64 * KIB..68 * KIB).await.expect("cleared");
    world.write(128 * KIB, 4 * KIB, 3).await;
    world.snapshot().await;
    let all = world.snapshots().await;
    world.carry(&all[0]).await.expect("carried");
    let refuse = || {
        let rule = world.sim.faults().on(Op::GetPageRanges).account("srcaccount").times(1);
        let _ = rule.answer(409, "PreviousSnapshotOperationNotSupported");
    };
    refuse();
    let hop = world.hop(Some(&all[0]), &all[1]);
    let cost = super::super::cost(&hop).await.expect("planned");
    assert_eq!(cost.whole.as_deref(), Some("PreviousSnapshotOperationNotSupported"));
    assert_eq!((cost.written, cost.cleared), (16 * KIB, 4 * KIB));
    refuse();
    let done = World::run(hop).await.expect("carried");
    assert_eq!((done.written, done.cleared, done.whole), (cost.written, cost.cleared, true));
    assert!(!done.resumed);
    world.has(&all, "whole").await;
}

#[tokio::test(start_paused = true)]
async fn lists_of_many_pages_are_read_while_the_disk_is_written() {
    const RANGES: u64 = 200;
    let world = World::new(MIB).await;
    world.write(0, MIB, 1).await;
    world.snapshot().await;
    for range in 0..RANGES {
        let at = range * KIB;
        match range % 2 {
            0 => world.write(at, 512, range).await,
            _ => {
                world.disk.clear_pages(at..at + 512).await.expect("cleared");
            }
        }
    }
    world.snapshot().await;
    let all = world.snapshots().await;
    world.carry(&all[0]).await.expect("carried");
    // Another writer has touched pages between them: there are two lists of many pages.
    for range in 0..RANGES {
        let at = range * KIB + 512;
        world.backup.clear_pages(at..at + 512).await.expect("cleared");
    }
    let done = world.carry(&all[1]).await.expect("carried");
    assert_eq!(done.written, RANGES / 2 * 512 + RANGES * 512);
    assert_eq!(done.cleared, RANGES / 2 * 512);
    world.has(&all, "many").await;
}

#[tokio::test(start_paused = true)]
async fn a_difference_that_is_refused_for_another_reason_does_not_move_the_disk() {
    for (status, code) in [(400, "InvalidQueryParameterValue"), (409, "LeaseIdMissing")] {
        for account in ["srcaccount", "dstaccount"] {
            let world = World::new(MIB).await;
            world.write(0, 64 * KIB, 1).await;
            world.snapshot().await;
            world.write(128 * KIB, 4 * KIB, 2).await;
            world.snapshot().await;
            let all = world.snapshots().await;
            world.carry(&all[0]).await.expect("carried");
            let rule = world.sim.faults().on(Op::GetPageRanges).account(account).times(1);
            let _ = rule.answer(status, code);
            let error = world.carry(&all[1]).await.expect_err("refused");
            let found = error.as_call().and_then(crate::Error::code).expect("the service's");
            assert_eq!(found.as_str(), code);
            let done = world.carry(&all[1]).await.expect("carried");
            assert_eq!((done.written, done.whole), (4 * KIB, false), "{account} {code}");
            world.has(&all, code).await;
        }
    }
}
