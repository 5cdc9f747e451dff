//! Hops that nothing disturbs, and what was done to the destination between them.

use blobcopy_simulator::Op;

use super::world::{KIB, MIB, World, bytes, is_same};
use crate::{
    Metadata, SnapshotId,
    disks::hop::{Hop, HopCost, carry, cost},
};

const LENGTH: u64 = 2 * MIB;

/// A disk with some pages, and its first snapshot copied.
async fn mirrored() -> World {
    let world = World::new(LENGTH).await;
    world.write(4 * KIB, 8 * KIB, 1).await;
    world.write(MIB, 64 * KIB, 2).await;
    world.write(LENGTH - 512, 512, 3).await;
    let first = world.snapshot().await;
    let done = world.carry(&first).await.expect("carried");
    assert_eq!((done.written, done.whole, done.resumed), (72 * KIB + 512, true, false));
    world.has(&[first], "first").await;
    world
}

#[tokio::test(start_paused = true)]
async fn a_difference_moves_what_changed_and_nothing_else() {
    let world = mirrored().await;
    let first = world.snapshots().await;
    world.write(MIB + 4 * KIB, 4 * KIB, 4).await;
    world.write(MIB + 8 * KIB, 4 * KIB, 5).await;
    world.disk.clear_pages(4 * KIB..6 * KIB).await.expect("cleared");
    world.write(3 * KIB, KIB, 6).await;
    let second = world.snapshot().await;
    let hop = world.hop(first.first(), &second);
    let expected = HopCost { written: 9 * KIB, cleared: 2 * KIB, mended: 0, whole: None };
    assert_eq!(cost(&hop).await.expect("planned"), expected);

    world.sim.forget_requests();
    let done = world.carry(&second).await.expect("carried");
    assert_eq!((done.written, done.cleared, done.whole), (9 * KIB, 2 * KIB, false));
    world.has(&world.snapshots().await, "second").await;
    // The cleared pages lie between those written, and the adjacent ones are joined.
    assert_eq!((world.count(Op::PutPageFromUrl), world.count(Op::PutPage)), (2, 1));
    let seen = world.sim.requests();
    let guarded = seen.iter().filter(|seen| [Op::PutPageFromUrl, Op::PutPage].contains(&seen.op()));
    for request in guarded {
        assert!(request.header("x-ms-if-sequence-number-eq").is_some(), "{request:?}");
    }
    // Of the source: its length and the difference. Of the base: its state, its snapshots, note,
    // number, what was touched; then its state, note, snapshot and note.
    let by_this_run: u64 = world.sim.counts().values().sum::<u64>();
    assert!(by_this_run >= 14, "{by_this_run}");
}

#[tokio::test(start_paused = true)]
async fn a_run_lists_the_snapshots_of_a_long_chain_only_once() {
    let world = mirrored().await;
    let mut before = world.snapshots().await.pop().expect("one");
    let mut last = None;
    for number in 0..3 {
        world.write(4 * KIB * number, KIB, 7).await;
        let to = world.snapshot().await;
        let hop = Hop { last: last.clone(), ..world.hop(Some(&before), &to) };
        world.sim.forget_requests();
        let sealed = carry(hop).await.expect("carried");
        // The first time nothing is known, and the last time it is that of another hop.
        assert_eq!(world.count(Op::ListBlobs), u64::from(number != 1), "{number}");
        assert!(!sealed.whole);
        last = last.or_else(|| Some(sealed.copy_of(&to)));
        before = to;
    }
    world.has(&world.snapshots().await, "all").await;
}

#[tokio::test(start_paused = true)]
async fn resizes_are_followed_both_ways() {
    let world = mirrored().await;
    world.disk.resize(MIB + 8 * KIB).await.expect("resized");
    world.snapshot().await;
    world.disk.resize(3 * MIB).await.expect("resized");
    world.write(3 * MIB - KIB, KIB, 7).await;
    world.snapshot().await;
    world.disk.resize(0).await.expect("resized");
    world.snapshot().await;
    world.disk.resize(MIB).await.expect("resized");
    world.snapshot().await;
    let all = world.snapshots().await;
    for (index, at) in all.iter().enumerate().skip(1) {
        world.carry(at).await.expect("carried");
        world.has(&all[..=index], &format!("hop {index}")).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_somebody_else_did_to_the_destination_is_put_right() {
    let world = mirrored().await;
    let first = world.snapshots().await;
    // Where the source has data, where it has none, and where it has changed.
    world.backup.upload_pages(MIB + 32 * KIB, bytes(10, 1024)).await.expect("written");
    world.backup.upload_pages(512 * KIB, bytes(11, 2048)).await.expect("written");
    world.backup.clear_pages(8 * KIB..10 * KIB).await.expect("cleared");
    world.backup.upload_pages(MIB - KIB, bytes(12, 4096)).await.expect("written");
    world.write(MIB, 512, 13).await;
    // A snapshot of it is not taken for one of the mirror.
    world.backup.create_snapshot().await.expect("taken");
    let seen = world.backup.get_properties().await.expect("there");
    let mut metadata = seen.metadata;
    metadata.insert("owner", "team a");
    world.backup.set_metadata(metadata).await.expect("set");

    let second = world.snapshot().await;
    let cost = cost(&world.hop(first.first(), &second)).await.expect("planned");
    assert_eq!((cost.written, cost.cleared), (512 + KIB + 2 * KIB + 3 * KIB - 512, 3 * KIB));
    assert_eq!(cost.mended, 1024 + 2048 + 2048 + 4096 - 512);
    let done = world.carry(&second).await.expect("carried");
    assert_eq!((done.written, done.cleared, done.whole), (cost.written, cost.cleared, false));
    world.has(&world.snapshots().await, "mended").await;
    let base = world.backup.get_properties().await.expect("there");
    assert_eq!(base.metadata.get("owner"), Some("team a"));
    let (_, last) = world.copies().await.pop().expect("a copy");
    let last = world.backup.with_snapshot(last).get_properties().await.expect("there");
    // A snapshot has the metadata of the source's, and no others.
    assert_eq!(last.metadata.get("owner"), None);
    assert_eq!(base.content_type.as_deref(), Some("application/x-vhd"));
}

#[tokio::test(start_paused = true)]
async fn everything_is_copied_where_there_is_no_difference_to_be_had() {
    for case in ["source gone", "copy gone", "recreated", "promoted", "shrunk"] {
        let world = mirrored().await;
        let first = world.snapshots().await;
        let (_, copy) = world.copies().await.pop().expect("a copy");
        let mut copies = first.clone();
        match case {
            // Only the hop must not use it.
            "source gone" => {}
            "copy gone" => {
                world.backup.with_snapshot(&copy).delete().await.expect("deleted");
                copies.clear();
            }
            "recreated" => {
                world.disk.create(LENGTH).await.expect("created");
                world.write(64 * KIB, 4 * KIB, 20).await;
            }
            "promoted" => {
                let earlier = world.backup.with_snapshot(&copy);
                world
                    .backup
                    .start_copy_from_uri(&earlier)
                    .await
                    .expect("started")
                    .wait()
                    .await
                    .expect("copied");
            }
            _ => {
                world.backup.resize(KIB).await.expect("resized");
            }
        }
        let second = world.snapshot().await;
        let from = Some(&first[0]).filter(|_| case != "source gone");
        let hop = world.hop(from, &second);
        let cost = cost(&hop).await.expect("planned");
        assert!(cost.whole.is_some(), "{case}");
        let carried = World::run(hop);
        crosses(&carried);
        let done = carried.await.expect("carried");
        assert_eq!((done.written, done.cleared, done.whole), (cost.written, cost.cleared, true));
        copies.push(second);
        world.has(&copies, case).await;
        // The next is a difference again.
        world.write(0, KIB, 21).await;
        let third = world.snapshot().await;
        let done = world.carry(&third).await.expect("carried");
        assert_eq!((done.written, done.cleared, done.whole), (KIB, 0, false), "{case}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_not_a_mirrors_is_refused() {
    let world = World::new(LENGTH).await;
    let first = world.snapshot().await;
    world.backup.create(LENGTH).metadata(Metadata::from([("owner", "me")])).await.expect("made");
    let refused = world.carry(&first).await.expect_err("refused").to_string();
    assert!(refused.contains("was not made by a mirror"), "{refused}");
    world.backup.delete().await.expect("deleted");

    world.carry(&first).await.expect("carried");
    let mut hop = world.hop(None, &first);
    hop.source = "another".to_owned();
    let refused = World::run(hop).await.expect_err("refused").to_string();
    assert!(refused.contains("is the mirror of https://srcaccount"), "{refused}");
}

#[tokio::test(start_paused = true)]
async fn the_greatest_sequence_numbers_do_not_stop_it() {
    let world = mirrored().await;
    let most = (1 << 63) - 1;
    let set = crate::SequenceNumberAction::Update(most);
    world.backup.set_sequence_number(set).await.expect("set");
    world.write(0, KIB, 4).await;
    let second = world.snapshot().await;
    let done = world.carry(&second).await.expect("carried");
    assert_eq!((done.written, done.whole), (KIB, false));
    let number = world.backup.get_properties().await.expect("there").sequence_number;
    assert!(number.is_some_and(|number| number < 1 << 62), "{number:?}");
    let id: SnapshotId = second.id.parse().expect("an id");
    is_same(&world.disk.with_snapshot(id), &world.backup, "base").await;
}

/// A run of a hop can be moved to another thread.
fn crosses<T: Send>(_: &T) {}
