//! Restores that are tried.
#![allow(clippy::disallowed_methods, reason = "no time passes: it is paused")]

use std::time::Duration;

use blobcopy_simulator::Op;

use super::{ROUTES, World};

/// The blobs of drills that are left.
async fn left(world: &World) -> Vec<String> {
    let mut names = Vec::new();
    for service in [&world.near, &world.far] {
        for container in ["vhds", "backups"] {
            let list = service.container_client(container).list_blobs().collect_all().await;
            names.extend(list.unwrap_or_default().into_iter().map(|item| item.name));
        }
    }
    names.retain(|name| name.contains("drill"));
    names
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_of_this_second_has_an_age_too() {
    let world = World::new().await;
    world.sim.clock().advance(Duration::from_millis(700));
    world.grown(1).await;
    world.mirror().run().await.expect("mirrored");
    let report = world.kept().drill().await.expect("tried");
    assert!(report.age.expect("known") < Duration::from_secs(2), "{report}");
}

#[tokio::test(start_paused = true)]
async fn the_newest_snapshot_is_tried_and_nothing_is_left() {
    for route in ROUTES {
        let world = World::new().await;
        let taken = world.grown(3).await;
        world.by(route).run().await.expect("mirrored");
        world.sim.clock().advance(Duration::from_secs(3600));
        let elsewhere = world.near.container_client("vhds");
        for drill in [world.kept().drill(), world.mirror().drill().container(&elsewhere)] {
            let report = drill.await.expect("tried");
            assert!(report.is_identical(), "{report}");
            assert_eq!(report.restore.snapshot.equals.as_deref(), Some(taken[2].as_str()));
            assert_eq!(report.recovery_point, report.restore.snapshot.time);
            let age = report.age.expect("known").as_secs();
            assert!((3599..3700).contains(&age), "{report}");
            assert_eq!(report.left, None);
            assert_eq!(left(&world).await, [""; 0]);
        }
        assert_eq!(world.equals().await.len(), 3);
    }
}

#[tokio::test(start_paused = true)]
async fn the_scratch_blob_goes_whatever_happens() {
    let world = World::new().await;
    world.grown(1).await;
    world.mirror().run().await.expect("mirrored");
    world.sim.faults().on(Op::PutBlockFromUrl).answer(500, "InternalError");
    world.kept().drill().await.expect_err("cannot be compared");
    world.sim.faults().clear();
    assert_eq!(left(&world).await, [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_drill_that_is_dropped_is_cleaned_up_and_a_killed_one_is_found() {
    let world = World::of(|builder| builder.copy_duration(Duration::from_secs(600))).await;
    world.grown(1).await;
    world.mirror().run().await.expect("mirrored");
    let drill = world.kept().drill().into_future();
    tokio::time::timeout(Duration::from_secs(5), drill).await.expect_err("it takes long");
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(left(&world).await, [""; 0]);

    let drill = world.kept().drill().into_future();
    world.sim.faults().on(Op::DeleteBlob).answer(403, "AuthorizationFailure");
    tokio::time::timeout(Duration::from_secs(5), drill).await.expect_err("it takes long");
    tokio::time::sleep(Duration::from_secs(60)).await;
    world.sim.faults().clear();
    let killed = left(&world).await;
    assert_eq!(killed.len(), 1);
    // What looks like one is not touched.
    let other = world.beside("disk0.vhd.blobcopy-drill-notes");
    other.create(512).await.expect("created");
    assert_eq!(world.kept().remove_drills().await.expect("removed"), killed);
    assert_eq!(left(&world).await, ["disk0.vhd.blobcopy-drill-notes"]);
    assert_eq!(world.kept().remove_drills().await.expect("none"), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn there_must_be_something_to_try() {
    let world = World::new().await;
    let refused = world.kept().drill().await.expect_err("nothing").to_string();
    assert!(refused.contains("no snapshot to restore"), "{refused}");
}
