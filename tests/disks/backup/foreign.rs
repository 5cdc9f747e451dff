//! A snapshot that somebody takes of a destination by ranges.

use std::time::Duration;

use blobcopy::disks::{Keep, MirrorRoute, RestorePoint};

use super::{World, texts};
use crate::disks::world::{MIB, content};

#[tokio::test(start_paused = true)]
async fn a_snapshot_that_somebody_takes_of_the_base_is_no_copy() {
    let world = World::new().await;
    let mut taken = world.grown(2).await;
    world.by(MirrorRoute::Ranges).run().await.expect("mirrored");
    world.backup().upload_pages(8 * MIB, vec![9; 512]).await.expect("written");
    world.sim.clock().advance(Duration::from_secs(60));
    let foreign = world.backup().create_snapshot().await.expect("taken").snapshot;
    assert_eq!(world.equals().await, texts(&taken));
    let plan = world.mirror().plan().await.expect("planned");
    assert_eq!(plan.hops.len(), 0, "{plan}");

    let target = world.beside("restored.vhd");
    let restored = world.kept().restore(RestorePoint::Newest, &target).await.expect("restored");
    assert_ne!(restored.snapshot.snapshot, foreign);
    let source = content(&world.disk().with_snapshot(&taken[1])).await;
    assert!(content(&target).await == source, "the spoiled content was restored");
    let drill = world.kept().drill().await.expect("tried");
    assert_ne!(drill.restore.snapshot.snapshot, foreign);
    assert!(drill.is_identical(), "{drill}");

    let report = world.kept().prune(&Keep::new().last(1)).await.expect("pruned");
    let deleted: Vec<_> = report.deleted.iter().map(|one| one.equals.clone()).collect();
    assert_eq!(deleted, [Some(taken[0].to_string())]);
    let there = world.backup().with_snapshot(&foreign).exists().await.expect("asked");
    assert!(there, "it is left alone");
    taken.push(world.grow(2).await);
    let hops = world.mirror().run().await.expect("mirrored").hops;
    assert_eq!((hops.len(), hops[0].whole), (1, false));
    let copy = content(&hops[0].destination.client(&world.backup())).await;
    assert!(copy == content(&world.disk().with_snapshot(&taken[2])).await, "it differs");
}
