//! Prunes, restores and drills that are stopped at any request.

use std::time::Duration;

use blobcopy::{
    PageBlobClient, RetryOptions,
    disks::{DiskBackup, Keep, MirrorRoute, RestorePoint},
};

use super::{World, texts};
use crate::disks::world::{client, content};

/// What happens at a request.
#[derive(Debug, Clone, Copy)]
enum Tear {
    /// The program is killed before it.
    Killed,
    /// It is carried out, and its response is lost; the program gives up.
    Lost,
}

const TEARS: [Tear; 2] = [Tear::Killed, Tear::Lost];

/// Tears at the request after so many.
fn tear(world: &World, tear: Tear, after: u64) {
    let rule = world.sim.faults().on_any().after(after);
    match tear {
        Tear::Killed => rule.reset(),
        Tear::Lost => rule.times(1).lose_answer(),
    };
}

/// The backup, reached by a client that tries each request once.
fn impatient(world: &World) -> DiskBackup {
    let options = world.sim.client_options().retry(RetryOptions::none());
    let far = client(&world.sim, "far", options);
    DiskBackup::of(&far.container_client("backups").page_blob_client("disk0.vhd"))
}

#[tokio::test(start_paused = true)]
async fn a_prune_that_is_torn_anywhere_is_gone_on_with() {
    let keep = Keep::new().last(2);
    for how in TEARS {
        for after in 0.. {
            let world = World::new().await;
            let taken = world.grown(5).await;
            world.mirror().run().await.expect("mirrored");
            tear(&world, how, after);
            let torn = impatient(&world).prune(&keep).await;
            world.sim.faults().clear();
            let left = world.equals().await;
            assert!(left.ends_with(&texts(&taken[3..])), "{how:?} {after}: {left:?}");
            let whole = world.kept().prune(&keep).wait_for_lock().await.expect("pruned");
            assert_eq!(world.equals().await, texts(&taken[3..]), "{how:?} {after}: {whole}");
            world.grow(7).await;
            let hops = world.mirror().wait_for_lock().run().await.expect("mirrored").hops;
            assert_eq!((hops.len(), hops[0].whole), (1, false));
            if torn.is_ok() && after > 4 {
                break;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_restore_that_is_torn_anywhere_is_gone_on_with() {
    for by_ranges in [false, true] {
        for how in TEARS {
            for after in 0.. {
                let world = World::new().await;
                let taken = world.grown(2).await;
                world.mirror().run().await.expect("mirrored");
                tear(&world, how, after);
                let backup = impatient(&world);
                let torn = {
                    let options = world.sim.client_options().retry(RetryOptions::none());
                    let far = client(&world.sim, "far", options).container_client("backups");
                    let to = far.page_blob_client("restored.vhd");
                    backup.restore(RestorePoint::Newest, &to).by_ranges(by_ranges).await
                };
                world.sim.faults().clear();
                let to = world.beside("restored.vhd");
                let context = format!("{how:?} at {after}, by ranges {by_ranges}");
                if torn.is_err() && to.exists().await.expect("looked") {
                    // Never taken for complete before it is.
                    let found = to.get_properties().await.expect("there");
                    let marked =
                        found.metadata.iter().any(|(name, _)| name.starts_with("blobcopy"));
                    let is_whole = content(&to).await == content(&world.newest(&taken)).await;
                    assert!(marked || is_whole, "{context}");
                }
                if torn.is_err() {
                    let again = world.kept().restore(RestorePoint::Newest, &to);
                    let report = again.by_ranges(by_ranges).await.expect(&context);
                    assert!(report.is_identical(), "{context}: {report}");
                }
                assert!(content(&to).await == content(&world.newest(&taken)).await, "{context}");
                let found = to.get_properties().await.expect("there");
                assert!(found.metadata.is_empty(), "{context}: {:?}", found.metadata);
                if torn.is_ok() && after > 4 {
                    break;
                }
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_drill_that_is_torn_anywhere_leaves_nothing_but_its_scratch_blob() {
    for by_ranges in [false, true] {
        for how in TEARS {
            for after in 0.. {
                let world = World::new().await;
                let taken = world.grown(2).await;
                world.by(MirrorRoute::Ranges).run().await.expect("mirrored");
                tear(&world, how, after);
                let torn = impatient(&world).drill().by_ranges(by_ranges).await;
                world.sim.faults().clear();
                world.kept().remove_drills().await.expect("removed");
                // What says that the snapshot is read is void after a minute.
                world.sim.clock().advance(Duration::from_secs(61));
                world.kept().prune(&Keep::new().last(9)).await.expect("nothing goes");
                let backups = world.backup().container_client();
                let left = backups.list_blobs().collect_all().await.expect("listed");
                let names: Vec<&str> = left.iter().map(|item| item.name.as_str()).collect();
                assert_eq!(names, ["disk0.vhd", "disk0.vhd.blobcopy"], "{how:?} {after}");
                assert_eq!(world.equals().await, texts(&taken));
                if torn.is_ok() && after > 4 {
                    break;
                }
            }
        }
    }
}

impl World {
    fn newest(&self, taken: &[blobcopy::SnapshotId]) -> PageBlobClient {
        self.disk().with_snapshot(taken.last().expect("taken"))
    }
}
