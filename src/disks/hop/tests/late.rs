//! What a run sends that another has taken the base from: late, or since it lives on.

use std::{sync::Arc, time::Duration};

use blobcopy_simulator::Op;

use super::{
    super::{
        Hop, carry,
        claim::{Claim, Claimed},
        reading::Reading,
        write::Moved,
    },
    world::{Cut, KIB, World, bytes, pass, wait},
};
use crate::{
    BlobProperties, ErrorCode,
    disks::{MirrorError, SourceSnapshot},
};

const LENGTH: u64 = 512 * KIB;

/// A disk whose first snapshot is mirrored, and a second one, which is shorter and has other
/// headers, so that a hop to it takes each kind of request.
async fn changed() -> (World, Vec<SourceSnapshot>) {
    let (world, first) = World::mirrored(LENGTH).await;
    world.disk.set_properties().content_type("application/x-raw").await.expect("set");
    world.disk.resize(LENGTH - 64 * KIB).await.expect("resized");
    for at in (0..14).step_by(2) {
        world.write(at * 32 * KIB, 16 * KIB, 100 + at).await;
        let clear = at * 32 * KIB + 18 * KIB..at * 32 * KIB + 19 * KIB;
        world.disk.clear_pages(clear).await.expect("cleared");
    }
    let second = world.snapshot().await;
    (world, vec![first, second])
}

/// Tears the hop to `to` where a part of it is done, so that the next run goes on with its lease.
async fn tear(world: &World, to: &SourceSnapshot) {
    for request in 8..40 {
        world.cut(Some((request, Cut::Applied)));
        world.carry(to).await.expect_err("torn");
        world.cut(None);
        if world.lineage().await.hop.is_some_and(|hop| hop.done > 0) {
            return;
        }
    }
    panic!("nothing is noted as done");
}

async fn seen(world: &World) -> BlobProperties {
    world.backup.get_properties().await.expect("there")
}

/// Whether the next run has released its lease by then makes a difference: that may be the one
/// which the torn run had.
#[tokio::test(start_paused = true)]
async fn nothing_that_a_torn_run_has_sent_lands_in_the_next_one() {
    for is_released in [false, true] {
        for request in 1.. {
            let (world, all) = changed().await;
            tear(&world, &all[1]).await;
            world.cut(Some((request, Cut::Late(30))));
            let torn = world.carry(&all[1]).await;
            world.cut(None);
            if torn.is_ok() {
                assert!(request > 20, "{request}");
                break;
            }
            let context = format!("late request {request}, released {is_released}");
            let hop = world.hop(Some(&all[0]), &all[1]);
            let hold = Arc::clone(&hop.hold);
            carry(hop).await.expect(&context);
            if is_released {
                hold.release().await;
            }
            let before = seen(&world).await.etag;
            pass(31).await;
            assert_eq!(seen(&world).await.etag, before, "{context}");
            hold.release().await;
            world.has(&all, &context).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_claim_that_lands_after_the_next_run_is_over_changes_nothing() {
    for request in 1.. {
        let (world, all) = changed().await;
        world.cut(Some((request, Cut::Late(30))));
        world.carry(&all[1]).await.expect_err("torn");
        world.cut(None);
        if world.lineage().await.hop.is_some() {
            assert!(request > 3, "{request}");
            break;
        }
        let context = format!("late request {request}");
        world.carry(&all[1]).await.expect(&context);
        let before = seen(&world).await.etag;
        pass(31).await;
        assert_eq!(seen(&world).await.etag, before, "{context}");
        world.has(&all, &context).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_is_acquired_late_keeps_nobody_out() {
    for request in 1.. {
        let (world, mut all) = changed().await;
        world.cut(Some((request, Cut::Late(30))));
        world.carry(&all[1]).await.expect_err("torn");
        world.cut(None);
        let context = format!("late request {request}");
        if world.lineage().await.hop.is_some_and(|hop| hop.done > 0) {
            assert!(request > 6, "{request}");
            break;
        }
        world.carry(&all[1]).await.expect(&context);
        pass(31).await;
        all.push(world.snapshot().await);
        world.carry(all.last().expect("one")).await.expect(&context);
        world.has(&all, &context).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_others_write_before_a_new_base_is_leased_does_not_stay() {
    let world = World::new(LENGTH).await;
    world.write(0, 64 * KIB, 1).await;
    let first = world.snapshot().await;
    // The base is there, and the run does not know that yet.
    let created = world.sim.faults().on(Op::PutBlob).account("dstaccount").times(1);
    drop(created.stall(Duration::from_secs(5)));
    let scribble = async {
        let at = 256 * KIB;
        while world.backup.upload_pages(at, bytes(7, 512)).await.is_err() {
            wait(Duration::from_millis(100)).await;
        }
        world.count(Op::LeaseBlob)
    };
    let (leases, carried) = tokio::join!(scribble, world.carry(&first));
    assert_eq!(leases, 0, "it was leased before");
    carried.expect("carried");
    world.has(&[first], "after others wrote").await;
}

async fn claimed(world: &World, hop: &Hop) -> Claim {
    let source = world.disk.get_properties().await.expect("there");
    match Claim::take(hop, &source, None).await.expect("taken") {
        Claimed::ToDo(claim) => *claim,
        Claimed::Sealed(_) => panic!("it is there already"),
    }
}

/// Its lock was broken while it was held up. The next run has gone on with its lease, so what tells
/// them apart is the number in the note alone.
#[tokio::test(start_paused = true)]
async fn a_run_that_lives_on_changes_nothing_though_the_next_has_its_lease() {
    for step in 0..6 {
        let (world, all) = changed().await;
        let hop = world.hop(Some(&all[0]), &all[1]);
        let reading = Arc::new(Reading::of(&hop.to, hop.from.as_ref()));
        let mut old = claimed(&world, &hop).await;
        old.write(&hop, &reading, &mut Moved::default()).await.expect("written");

        let next = world.hop(Some(&all[0]), &all[1]);
        let mut new = claimed(&world, &next).await;
        assert!(new.done > 0 && new.is_resumed, "{new:?}");
        assert_eq!(old.base.lease(), new.base.lease());

        let before = seen(&world).await.etag;
        let (note, headers) = (old.base.note.clone(), old.headers.clone());
        let refused = match step {
            0 => old.base.set_note(note).await,
            1 => old.base.set_headers(headers).await,
            2 => old.base.resize(LENGTH - 128 * KIB).await,
            3 => old.base.set_number(7).await,
            4 => old.seal().await.map(drop),
            _ => {
                let lease = old.base.lease().expect("one");
                let pages = old.base.blob.guarded_pages(old.base.guard).lease_id(lease);
                let refused = pages.upload_pages(0, bytes(9, 512)).await.expect_err("refused");
                assert_eq!(refused.code(), Some(&ErrorCode::SequenceNumberConditionNotMet));
                Err(MirrorError::LockLost { destination: String::new(), cause: refused })
            }
        };
        assert!(matches!(refused, Err(MirrorError::LockLost { .. })), "step {step}: {refused:?}");
        assert_eq!(seen(&world).await.etag, before, "step {step}");

        new.write(&next, &reading, &mut Moved::default()).await.expect("written");
        new.seal().await.expect("sealed");
        world.has(&all, &format!("step {step}")).await;
    }
}
