//! Hops torn at any request, by a kill or by a lost response, and what lands late.

use blobcopy_simulator::Op;

use super::{
    super::changes::{PIECE, WINDOW},
    world::{Cut, KIB, World, bytes, content, pass},
};
use crate::{
    SnapshotId,
    disks::{SourceSnapshot, lineage::Point},
};

const LENGTH: u64 = 512 * KIB;

/// The most that a tear makes a hop copy again: the window, and what was in flight beside it.
const AGAIN: u64 = WINDOW + PIECE;

const CUTS: [Cut; 3] = [Cut::Unsent, Cut::Applied, Cut::Late(60)];

/// A disk with a snapshot in the mirror, and a second that differs in several windows.
async fn changed(new_length: u64) -> (World, Vec<SourceSnapshot>, u64) {
    let (world, _) = World::mirrored(LENGTH).await;
    world.disk.resize(new_length).await.expect("resized");
    for at in 0..6 {
        world.write(at * 48 * KIB, 16 * KIB, 100 + at).await;
        world.write(at * 48 * KIB + 18 * KIB, 512, 200 + at).await;
        world
            .disk
            .clear_pages(at * 48 * KIB + 20 * KIB..at * 48 * KIB + 21 * KIB)
            .await
            .expect("cleared");
    }
    world.snapshot().await;
    let all = world.snapshots().await;
    world.sim.forget_requests();
    (world, all, 6 * (16 * KIB + 512))
}

#[tokio::test(start_paused = true)]
async fn a_difference_torn_at_any_request_is_gone_on_with() {
    let [shorter, longer] = [LENGTH - 128 * KIB, LENGTH + 64 * KIB];
    for (length, cuts) in [(LENGTH, &CUTS[..1]), (longer, &CUTS[1..2]), (shorter, &CUTS[2..])] {
        for cut in cuts {
            let cut = *cut;
            let mut tears = 0;
            for request in 1.. {
                let (world, all, diff) = changed(length).await;
                world.cut(Some((request, cut)));
                let torn = world.carry(&all[1]).await;
                world.cut(None);
                let context = format!("{length}, cut {cut:?} at request {request}");
                if let Ok(done) = torn {
                    world.has(&all, &context).await;
                    assert_eq!((done.written, world.moved()), (diff, diff));
                    break;
                }
                tears += 1;
                let copied = world.copies().await.len();
                if copied < 2 || world.lineage().await.hop.is_some() {
                    world.carry(&all[1]).await.expect(&context);
                }
                pass(120).await;
                world.has(&all, &context).await;
                assert!(world.moved() <= diff + AGAIN, "{context}: {}", world.moved());
            }
            assert!(tears > 30, "{tears}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_first_copy_torn_at_any_request_is_gone_on_with() {
    for cut in CUTS {
        for request in 1.. {
            let world = World::new(LENGTH).await;
            for at in 0..8 {
                world.write(at * 64 * KIB, 10 * KIB, at).await;
            }
            let first = world.snapshot().await;
            world.sim.forget_requests();
            world.cut(Some((request, cut)));
            let torn = world.carry(&first).await;
            world.cut(None);
            let context = format!("cut {cut:?} at request {request}");
            if torn.is_ok() {
                assert!(request > 15, "{request}");
                break;
            }
            let done = world.carry(&first).await.expect(&context);
            pass(120).await;
            world.has(&[first], &context).await;
            assert!(done.whole || done.written == 0, "{context}");
            assert!(world.moved() <= 80 * KIB + AGAIN, "{context}: {}", world.moved());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_snapshot_of_a_torn_hop_may_be_gone_or_come_to_be_the_first() {
    for cut in CUTS {
        for request in 1.. {
            let (world, all, _) = changed(LENGTH - 64 * KIB).await;
            world.cut(Some((request, cut)));
            let torn = world.carry(&all[1]).await;
            world.cut(None);
            if torn.is_ok() {
                break;
            }
            let context = format!("cut {cut:?} at request {request}");
            // Another snapshot, and that of the torn hop is deleted at the source.
            world.disk.resize(LENGTH).await.expect("resized");
            world.write(300 * KIB, 8 * KIB, 77).await;
            world.disk.clear_pages(0..24 * KIB).await.expect("cleared");
            let third = world.snapshot().await;
            let second: SnapshotId = all[1].id.parse().expect("an id");
            let kept = content(&world.disk.with_snapshot(&second)).await;
            let from = match world.copies().await.len() {
                1 => Some(&all[0]),
                _ => Some(&all[1]),
            };
            let hop = world.hop(from, &third);
            if from == Some(&all[0]) {
                world.disk.with_snapshot(&second).delete().await.expect("deleted");
            }
            World::run(hop).await.expect(&context);
            pass(120).await;
            let copies = world.copies().await;
            let (last, copy) = copies.last().expect("a copy");
            assert!(last.is(&third), "{context}");
            let third: SnapshotId = third.id.parse().expect("an id");
            let (source, copy) =
                (world.disk.with_snapshot(third), world.backup.with_snapshot(copy));
            super::world::is_same(&source, &copy, &context).await;
            let of_second: Vec<_> =
                copies.iter().filter(|(equals, _)| equals.is(&all[1])).collect();
            assert!(of_second.len() <= 1, "{context}");
            for (_, copy) in of_second {
                assert!(content(&world.backup.with_snapshot(copy)).await == kept, "{context}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_that_lands_in_the_next_hop_is_refused() {
    // Before the next hop has written the page, after that, and after it is sealed.
    for seconds in (5..=90).step_by(5) {
        let (world, all, _) = changed(LENGTH).await;
        let late = std::time::Duration::from_secs(seconds);
        world.sim.faults().on(Op::PutPageFromUrl).after(4).times(1).land_late(late);
        world.carry(&all[1]).await.expect("repeated");
        for at in 0..6 {
            world.write(at * 48 * KIB, 16 * KIB, 300 + at).await;
        }
        let third = world.snapshot().await;
        world.slow_down(4000);
        world.carry(&third).await.expect("carried");
        pass(120).await;
        let context = format!("after {seconds} seconds");
        world.has(&world.snapshots().await, &context).await;
        let last: SnapshotId = third.id.parse().expect("an id");
        super::world::is_same(&world.disk.with_snapshot(last), &world.backup, &context).await;
    }
}

/// A run whose lock was broken has done this hop, and the next one in part or whole, since the run
/// that broke it listed what is there.
#[tokio::test(start_paused = true)]
async fn a_hop_that_another_run_has_gone_past_is_done() {
    for cut in [Some((9, Cut::Unsent)), None] {
        let (world, mut all, _) = changed(LENGTH).await;
        let late = world.hop(Some(&all[0]), &all[1]);
        world.carry(&all[1]).await.expect("carried");
        world.write(0, 64 * KIB, 77).await;
        all.push(world.snapshot().await);
        world.cut(cut);
        let other = world.carry(&all[2]).await;
        world.cut(None);
        assert_eq!(other.is_err(), cut.is_some(), "{other:?}");
        let lineage = world.lineage().await;
        assert_eq!(lineage.hop.is_some(), cut.is_some());

        let moved = world.moved();
        let done = World::run(late).await.expect("done");
        assert!(done.resumed && done.written == 0 && !done.whole, "{done:?}");
        assert_eq!(world.moved(), moved, "nothing is copied again");
        assert_eq!(world.lineage().await, lineage, "the hop of the other run stands");
        if cut.is_some() {
            world.carry(&all[2]).await.expect("gone on with");
        }
        world.has(&all, &format!("{cut:?}")).await;
    }
}

#[tokio::test(start_paused = true)]
async fn responses_are_lost_and_requests_land_late_within_a_run() {
    for op in [
        Op::PutBlob,
        Op::SetBlobMetadata,
        Op::SetBlobProperties,
        Op::SnapshotBlob,
        Op::PutPage,
        Op::PutPageFromUrl,
    ] {
        for late in [false, true] {
            for nth in 0..3 {
                let world = World::new(LENGTH).await;
                world.write(0, 100 * KIB, 1).await;
                let first = world.snapshot().await;
                world.disk.resize(LENGTH - 64 * KIB).await.expect("resized");
                world.disk.clear_pages(0..50 * KIB).await.expect("cleared");
                world.write(60 * KIB, 40 * KIB, 2).await;
                let second = world.snapshot().await;
                let rule = world.sim.faults().on(op).account("dstaccount").after(nth).times(1);
                let rule = match late {
                    true => rule.land_late(std::time::Duration::from_secs(5)),
                    false => rule.lose_answer(),
                };
                drop(rule);
                world.slow_down(2000);
                let context = format!("{op:?} {nth}, late: {late}");
                world.carry(&first).await.expect(&context);
                world.carry(&second).await.expect(&context);
                pass(60).await;
                world.has(&[first, second], &context).await;
            }
        }
    }
}

/// Random disks, random tears, late requests among those of the next runs, other writers.
#[tokio::test(start_paused = true)]
async fn random_histories_end_with_equal_snapshots() {
    for seed in 0..24 {
        history(seed).await;
    }
}

async fn history(seed: u64) {
    let random = &mut fastrand::Rng::with_seed(seed);
    let world = World::new(LENGTH).await;
    world.slow_down(random.u64(0..3000));
    // What each copied snapshot must hold.
    let mut truth: Vec<(Point, bytes::Bytes)> = Vec::new();
    for hop in 0..12 {
        touch(&world, random).await;
        if random.u8(..) < 20 {
            // The source snapshot that was copied last is gone.
            for at in world.snapshots().await {
                let id: SnapshotId = at.id.parse().expect("an id");
                world.disk.with_snapshot(id).delete().await.expect("deleted");
            }
        }
        if hop > 0 && random.u8(..) < 60 && world.lineage().await.hop.is_none() {
            let length = world.backup.get_properties().await.expect("there").content_length;
            let at = random.u64(0..length / 512) * 512;
            // If the run was cut off at its last request, it holds the lease still.
            let content = bytes(random.u64(..), 512);
            if world.backup.upload_pages(at, content.clone()).await.is_err() {
                pass(60).await;
                world.backup.upload_pages(at, content).await.expect("written");
            }
        }
        let mut to = world.snapshot().await;
        for attempt in 0.. {
            if attempt > 0 && random.u8(..) < 30 && world.copies().await.len() == truth.len() {
                // The snapshot that a torn hop went to is gone.
                let id: SnapshotId = to.id.parse().expect("an id");
                let gone = world.disk.with_snapshot(id);
                truth.push((Point::from(&to), content(&gone).await));
                touch(&world, random).await;
                gone.delete().await.expect("deleted");
                to = world.snapshot().await;
            }
            let cut = match random.u8(0..3) {
                0 => Cut::Unsent,
                1 => Cut::Applied,
                _ => Cut::Late(random.u64(1..200)),
            };
            world.cut((attempt < 4).then(|| (random.u64(1..50), cut)));
            let carried = world.carry(&to).await;
            world.cut(None);
            if carried.is_ok() {
                break;
            }
            assert!(attempt < 4, "seed {seed}, hop {hop}: {carried:?}");
        }
        let id: SnapshotId = to.id.parse().expect("an id");
        truth.push((Point::from(&to), content(&world.disk.with_snapshot(id)).await));
        if random.bool() {
            pass(60).await;
        }
    }
    pass(300).await;
    let copies = world.copies().await;
    for (index, (equals, copy)) in copies.iter().enumerate() {
        let context = format!("seed {seed}, copy {index}");
        let twice = copies.iter().filter(|(other, _)| other == equals).count();
        assert_eq!(twice, 1, "{context}");
        let (_, expected) = truth.iter().find(|(point, _)| point == equals).expect("known");
        let found = content(&world.backup.with_snapshot(copy)).await;
        let differs = expected.iter().zip(&found).position(|(a, b)| a != b);
        assert_eq!((differs, found.len()), (None, expected.len()), "{context}");
    }
    assert!(copies.len() >= 12, "seed {seed}: {}", copies.len());
}

/// Changes the source.
async fn touch(world: &World, random: &mut fastrand::Rng) {
    if random.u8(..) < 15 {
        world.disk.create(LENGTH).await.expect("recreated");
    }
    if random.u8(..) < 40 {
        let length = random.u64(1..LENGTH / 512 * 2) * 512;
        world.disk.resize(length).await.expect("resized");
    }
    let length = world.disk.get_properties().await.expect("there").content_length;
    for _ in 0..random.u8(0..12) {
        let start = random.u64(0..length / 512) * 512;
        let end = length.min(start + random.u64(1..64) * 512);
        match random.bool() {
            true => world.write(start, end - start, random.u64(..)).await,
            false => {
                world.disk.clear_pages(start..end).await.expect("cleared");
            }
        }
    }
}
