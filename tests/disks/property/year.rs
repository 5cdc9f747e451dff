//! A year of snapshots every 15 minutes, thinned out at both ends, verified and restored.

use std::{collections::BTreeSet, time::Duration};

use blobcopy::{
    SnapshotId,
    disks::{
        Chain, ChainSnapshot, HopDone, Keep, MirrorReceipts, MirrorVerification, SnapshotMirror,
        SnapshotOutcome,
    },
};
use time::OffsetDateTime;

use super::{
    disk::Disk,
    door::sleep,
    judge,
    truth::Taken,
    world::{Way, World},
};
use crate::jobs::seeds::{number, tried};

/// How many snapshots are taken before the mirror is run: those of a day.
const EACH_RUN: usize = 96;

/// How many days there are if `BLOBCOPY_MIRROR_DAYS` does not say.
const DAYS: u64 = 28;

#[test]
fn many_days_of_snapshots_are_mirrored_thinned_out_verified_and_restored() {
    let days = number("BLOBCOPY_MIRROR_DAYS").unwrap_or(DAYS);
    tried(0, lived(Way::Incremental, days));
}

#[test]
fn many_days_of_snapshots_are_mirrored_by_ranges_thinned_out_verified_and_restored() {
    // It takes four times as long.
    let days = number("BLOBCOPY_MIRROR_DAYS").unwrap_or(DAYS / 4);
    tried(0, lived(Way::Ranges, days));
}

async fn lived(way: Way, days: u64) {
    let (world, mut disk) = World::quiet(way).await;
    let (mirror, _) = world.mirror(0, None);
    let keep = Keep::new().hourly(24).daily(7).weekly(5).monthly(13);
    let at_source = Keep::new().last(4);
    let mut all: Vec<(SnapshotId, OffsetDateTime)> = Vec::new();
    let mut before: Option<Taken> = None;
    let mut receipts = MirrorReceipts::new();
    for day in 0..days {
        for _ in 0..EACH_RUN {
            disk.write_little().await;
            disk.snapshot().await;
            sleep(Duration::from_secs(15 * 60)).await;
        }
        let report = mirror.run().await.expect("a report");
        assert_eq!(report.hops.len(), EACH_RUN, "{:?}", report.warnings);
        for hop in report.hops {
            let taken = disk.find(&hop.source.id, Some(hop.source.time)).expect("it is taken");
            check_hop(&hop, before.as_ref(), taken);
            all.push((taken.id.parse().expect("an id"), taken.time));
            before = Some(taken.clone());
        }
        mirror.prune(&keep).await.expect("pruned");
        // While the source has those of today; the others have a receipt.
        let _ = verify(&mirror, &mut receipts).await;
        let pruned = mirror.prune_source(&at_source).also_absent().await.expect("pruned");
        assert_eq!(pruned.kept, 4);
        let chain = mirror.chain().await.expect("a chain");
        disk.taken.retain(|taken| chain_has(&chain, taken));
        let one = usize::try_from(day).expect("few") * 7 % chain.snapshots.len();
        check_restored(&world, &mirror, &disk, &chain.snapshots[one]).await;
    }

    let chain = mirror.chain().await.expect("a chain");
    let kept = keep.apply(all).expect("rules");
    let kept: BTreeSet<_> = kept.iter().filter(|it| it.stays()).map(|it| it.time).collect();
    let there: BTreeSet<_> = chain.snapshots.iter().map(|it| it.time).collect();
    assert_eq!(there, kept, "what a policy keeps of all at once");
    let verified = verify(&mirror, &mut receipts).await;
    assert_eq!(verified.snapshots.len(), chain.snapshots.len());
    let compared = verified.snapshots.iter().filter(|one| is_compared(&one.outcome)).count();
    assert_eq!(compared, 1, "of the last hour, which is still at the source");
    for copy in &chain.snapshots {
        check_restored(&world, &mirror, &disk, copy).await;
    }
    println!("{} snapshots are left of {}", chain.snapshots.len(), days * EACH_RUN as u64);
}

/// A hop is a difference, whatever was pruned before.
fn check_hop(hop: &HopDone, before: Option<&Taken>, taken: &Taken) {
    let bytes = match before {
        Some(before) => taken.content.written_since(&before.content),
        None => taken.content.written(),
    };
    assert_eq!((hop.whole, hop.bytes), (before.is_none(), bytes), "{}", taken.id);
}

/// Compares every snapshot of the destination with the source's, or with its receipt.
async fn verify(mirror: &SnapshotMirror, receipts: &mut MirrorReceipts) -> MirrorVerification {
    let verified = mirror.verify().receipts(receipts).await.expect("verified");
    assert!(verified.is_identical(), "{verified}");
    receipts.extend(verified.receipts().iter().cloned());
    verified
}

fn is_compared(outcome: &SnapshotOutcome) -> bool {
    matches!(outcome, SnapshotOutcome::Identical(_))
}

fn chain_has(chain: &Chain, taken: &Taken) -> bool {
    chain.snapshots.iter().any(|copy| copy.equals.as_ref() == Some(&taken.id))
}

/// Restores a snapshot to another blob, compares that with the truth and removes it.
async fn check_restored(world: &World, mirror: &SnapshotMirror, disk: &Disk, copy: &ChainSnapshot) {
    let equals = copy.equals.as_ref().expect("the copy of a snapshot");
    let taken = disk.find(equals, copy.time).expect("it is taken");
    let target = world.restored().page_blob_client("restored.vhd");
    let report = mirror.restore(copy.snapshot.clone(), &target).await.expect("restored");
    assert!(report.is_identical(), "{report:?}");
    assert_eq!(judge::wrong(&taken.content, &target).await, None, "{copy}");
    target.delete().await.expect("deleted");
}
