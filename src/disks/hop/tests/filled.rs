//! New page blobs filled with the content of a snapshot.

use std::sync::Arc;

use blobcopy_simulator::Op;

use super::world::{Cut, KIB, World, is_same, pass};
use crate::{
    Metadata, PageBlobClient, SequenceNumberAction, SnapshotId,
    disks::{
        MirrorError,
        hop::{HopProgress, fill},
        source::Opened,
    },
};

const LENGTH: u64 = 256 * KIB;

/// A disk with a snapshot, which has metadata of its user and of a mirror.
async fn world() -> (World, PageBlobClient) {
    let world = World::new(LENGTH).await;
    for at in 0..5 {
        world.write(at * 48 * KIB, 20 * KIB, at).await;
    }
    let set = SequenceNumberAction::Update(7);
    world.disk.set_sequence_number(set).await.expect("set");
    let metadata = [("owner", "me"), ("blobcopy_mirror_source", "x")];
    world.disk.set_metadata(metadata).await.expect("set");
    let at = world.snapshot().await;
    let id: SnapshotId = at.id.parse().expect("an id");
    let snapshot = world.disk.with_snapshot(id);
    (world, snapshot)
}

async fn filled(world: &World, overwrite: bool) -> Result<u64, MirrorError> {
    let at = world.snapshots().await.pop().expect("one");
    let hop = world.hop(None, &at);
    let from: Opened = hop.to;
    let (mark, progress) = (Metadata::new(), Arc::<HopProgress>::default());
    fill(from, hop.destination, &mark, overwrite, 4, progress).await
}

async fn is_restored(world: &World, snapshot: &PageBlobClient, context: &str) {
    is_same(snapshot, &world.backup, context).await;
    let target = world.backup.get_properties().await.expect("there");
    let metadata: Vec<_> = target.metadata.iter().collect();
    assert_eq!(metadata, [("owner", "me")], "{context}");
    assert_eq!(target.sequence_number, Some(7), "{context}");
    assert_eq!(target.content_type.as_deref(), Some("application/x-vhd"), "{context}");
}

#[tokio::test(start_paused = true)]
async fn a_restore_is_whole_and_has_the_users_metadata() {
    let (world, snapshot) = world().await;
    assert_eq!(filled(&world, false).await.expect("filled"), 100 * KIB);
    is_restored(&world, &snapshot, "whole").await;
    let refused = filled(&world, false).await.expect_err("it exists").to_string();
    assert!(refused.contains("exists"), "{refused}");
    world.backup.upload_pages(0, vec![1; 4096]).await.expect("written");
    assert_eq!(filled(&world, true).await.expect("filled"), 100 * KIB);
    is_restored(&world, &snapshot, "overwritten").await;
}

#[tokio::test(start_paused = true)]
async fn a_restore_torn_at_any_request_is_not_taken_for_complete_and_gone_on_with() {
    for cut in [Cut::Unsent, Cut::Applied, Cut::Late(60)] {
        for request in 1.. {
            let (world, snapshot) = world().await;
            world.cut(Some((request, cut)));
            let torn = filled(&world, false).await;
            world.cut(None);
            let context = format!("cut {cut:?} at request {request}");
            if torn.is_ok() {
                assert!(request > 15, "{request}");
                break;
            }
            let seen = world.backup.get_properties().await.ok();
            let marked = seen.map(|seen| seen.metadata.get("blobcopy_restore_of").is_some());
            match marked {
                // The last response was lost.
                Some(false) => is_restored(&world, &snapshot, &context).await,
                _ => {
                    filled(&world, false).await.expect(&context);
                }
            }
            // It is in use by the time at which late writes land.
            pass(120).await;
            is_restored(&world, &snapshot, &context).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_write_of_a_restore_that_lands_late_does_not_spoil_what_its_user_has_written() {
    let (world, _) = world().await;
    let late = std::time::Duration::from_secs(60);
    world.sim.faults().on(Op::PutPageFromUrl).times(1).land_late(late);
    filled(&world, false).await.expect("filled");
    world.backup.upload_pages(0, vec![9; 20 << 10]).await.expect("written");
    pass(120).await;
    let now = super::world::content(&world.backup).await;
    assert!(now[..20 << 10].iter().all(|byte| *byte == 9));
}

#[tokio::test(start_paused = true)]
async fn a_torn_restore_of_another_snapshot_is_refused_or_overwritten() {
    let (world, _) = world().await;
    world.cut(Some((6, Cut::Applied)));
    filled(&world, false).await.expect_err("torn");
    world.cut(None);
    world.write(0, KIB, 9).await;
    let second = world.snapshot().await;
    let refused = filled(&world, false).await.expect_err("another").to_string();
    assert!(refused.contains("part of another restore"), "{refused}");
    filled(&world, true).await.expect("overwritten");
    let id: SnapshotId = second.id.parse().expect("an id");
    is_restored(&world, &world.disk.with_snapshot(id), "overwritten").await;
}
