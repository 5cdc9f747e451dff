//! The source snapshot that the next difference is taken from: gone, or about to go.

use std::slice::from_ref;

use blobcopy::{
    SnapshotId,
    disks::{BrokenSeries, Keep, MirrorError, MirrorEvent, MirrorRoute, MirrorWarning},
};

use super::world::World;

const ROUTES: [MirrorRoute; 2] = [MirrorRoute::Incremental, MirrorRoute::Ranges];

/// A world whose destination has these snapshots.
async fn mirrored(route: MirrorRoute) -> (World, Vec<SnapshotId>) {
    let world = World::new().await;
    let taken = world.grown(2).await;
    world.mirror().route(route).run().await.expect("mirrored");
    (world, taken)
}

#[tokio::test(start_paused = true)]
async fn a_run_warns_that_the_snapshot_is_gone() {
    for route in ROUTES {
        let (world, taken) = mirrored(route).await;
        world.disk().with_snapshot(&taken[1]).delete().await.expect("deleted");
        let gone = MirrorWarning::LastSourceSnapshotGone { snapshot: taken[1].to_string() };
        let mut told = Vec::new();
        let run = world.mirror().run().on_event(|event| {
            if let MirrorEvent::Warning(warning) = event {
                told.push(warning.clone());
            }
        });
        assert_eq!(run.await.expect("nothing to do").warnings, from_ref(&gone), "{route}");
        assert_eq!(told, from_ref(&gone));
        world.grow(2).await;
        let ended = world.mirror().run().await;
        match (route, ended) {
            (MirrorRoute::Incremental, Err(MirrorError::SeriesBroken { reason, .. })) => {
                assert_eq!(reason, BrokenSeries::LastSnapshotGone);
            }
            (MirrorRoute::Ranges, Ok(report)) => {
                assert!(report.hops[0].whole);
                assert_eq!(report.warnings, [gone]);
            }
            (_, ended) => panic!("{route}: {ended:?}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_warns_that_the_policy_for_the_source_removes_the_snapshot() {
    for route in ROUTES {
        let (world, taken) = mirrored(route).await;
        let mirror = |keep: &Keep| world.mirror().pruning_source(keep);
        let last = Keep::new().last(1);
        assert_eq!(mirror(&last).run().await.expect("nothing to do").warnings, []);
        world.grow(2).await;
        let more = mirror(&Keep::new().last(2)).plan().await.expect("planned");
        assert_eq!(more.warnings, [], "the policy keeps it");
        let due = MirrorWarning::AboutToBePruned { snapshot: taken[1].to_string() };
        assert_eq!(mirror(&last).run().await.expect("mirrored").warnings, [due], "{route}");
        assert_eq!(mirror(&last).run().await.expect("nothing to do").warnings, []);
    }
}
