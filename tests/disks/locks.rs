//! Two runs of one mirror.
#![allow(clippy::disallowed_methods, reason = "no time passes: it is paused")]

use std::time::Duration;

use blobcopy::{
    LeaseState,
    disks::{MirrorError, MirrorEvent, MirrorEvents, MirrorRoute},
};
use futures_util::{StreamExt, TryStreamExt};
use tokio::time::Instant;

use super::{
    gate::{Death, Gate},
    world::{World, content},
};

/// A disk with snapshots, whose copies take ten minutes.
async fn slow() -> World {
    let world = World::of(|builder| builder.copy_duration(Duration::from_secs(600))).await;
    world.grown(3).await;
    world
}

/// A run whose first copy is under way.
async fn under_way(world: &World) -> MirrorEvents {
    let mut events = world.mirror().run().events();
    while let Some(event) = events.next().await {
        if let MirrorEvent::HopProgress { .. } = event.expect("it goes well") {
            break;
        }
    }
    assert_eq!(world.sim.copies().pending(), 1);
    events
}

async fn taken(world: &World) -> Vec<blobcopy::SnapshotId> {
    let listed = world.disk().list_snapshots().collect_all().await.expect("listed");
    listed.into_iter().map(|item| item.snapshot).collect()
}

#[tokio::test(start_paused = true)]
async fn a_second_run_is_busy_and_changes_nothing() {
    let world = slow().await;
    let mut first = under_way(&world).await;
    let error = world.mirror().run().await.expect_err("the first holds the lock");
    assert!(matches!(error, MirrorError::Busy { .. }), "{error:?}");
    let text = error.to_string();
    assert!(
        text.contains("another run is at work") && text.contains("disk0.vhd.blobcopy"),
        "{text}"
    );
    assert_eq!(world.sim.copies().started(), 1);
    while first.try_next().await.expect("it is not disturbed").is_some() {}
    world.expect_equal(&taken(&world).await).await;
}

#[tokio::test(start_paused = true)]
async fn a_second_run_waits_if_it_may() {
    let world = slow().await;
    let first = under_way(&world).await;
    let second = world.mirror().wait_for_lock().run().events();
    let (first, second) =
        tokio::join!(first.try_collect::<Vec<_>>(), second.try_collect::<Vec<_>>());
    assert!(matches!(first.expect("mirrored").last(), Some(MirrorEvent::Ended(_))));
    let second = second.expect("waited");
    assert_eq!(second[0], MirrorEvent::Waiting);
    let waits = second.iter().filter(|event| **event == MirrorEvent::Waiting).count();
    let Some(MirrorEvent::Ended(report)) = second.last() else { panic!("{second:?}") };
    assert_eq!((waits, report.hops.len(), report.present), (1, 0, 3));
    assert_eq!(world.sim.copies().started(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_run_whose_lock_is_taken_stops_and_the_other_goes_on() {
    let world = slow().await;
    let first = under_way(&world).await;
    let second = world.mirror().take_lock().run().into_future();
    let begun = Instant::now();
    let stopped = async {
        let events: Result<Vec<_>, _> = first.try_collect().await;
        (events, begun.elapsed())
    };
    let ((first, after), second) = tokio::join!(stopped, second);
    let error = first.expect_err("its lock was broken");
    assert!(matches!(error, MirrorError::LockLost { .. }), "{error:?}");
    assert!(after < Duration::from_secs(60), "{after:?}");
    let report = second.expect("mirrored");
    assert_eq!(report.hops.len(), 3);
    assert!(report.hops[0].resumed, "the pending copy was adopted");
    assert_eq!(world.sim.copies().started(), 3);
    world.expect_equal(&taken(&world).await).await;
}

#[tokio::test(start_paused = true)]
async fn the_lock_of_a_dead_run_is_waited_out() {
    for route in [MirrorRoute::Incremental, MirrorRoute::Ranges] {
        let world = World::new().await;
        let taken = world.grown(3).await;
        let gate = Gate::new(&world.sim, 6, Death::Unsent);
        world.through(gate).route(route).run().await.expect_err("it died");
        let busy = world.mirror().run().await.expect_err("nobody released it");
        assert!(matches!(busy, MirrorError::Busy { .. }), "{busy:?}");
        let begun = Instant::now();
        world.mirror().wait_for_lock().run().await.expect("mirrored");
        let waited = begun.elapsed();
        assert!((40..=70).contains(&waited.as_secs()), "{waited:?}");
        world.expect_equal(&taken).await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_lock_of_a_dead_run_can_be_taken_at_once() {
    let world = World::new().await;
    let taken = world.grown(3).await;
    let gate = Gate::new(&world.sim, 6, Death::Unsent);
    world.through(gate).run().await.expect_err("it died");
    let begun = Instant::now();
    world.mirror().take_lock().run().await.expect("mirrored");
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    world.expect_equal(&taken).await;
}

#[tokio::test(start_paused = true)]
async fn the_marker_stays_free_and_is_no_part_of_the_chain() {
    let world = World::new().await;
    let taken = world.grown(2).await;
    world.mirror().run().await.expect("mirrored");
    let marker = world.backup().container_client().blob_client("disk0.vhd.blobcopy");
    let properties = marker.get_properties().await.expect("it is there");
    assert_eq!(properties.lease_state, Some(LeaseState::Available));
    let text = content(&marker.page_blob_client()).await;
    assert_eq!(String::from_utf8_lossy(&text), r#"{"version":1,"granted":[]}"#);
    // Somebody takes snapshots of everything.
    marker.create_snapshot().await.expect("taken");
    world.expect_equal(&taken).await;
    let plan = world.mirror().plan().await.expect("planned");
    assert!(plan.hops.is_empty() && plan.warnings.is_empty(), "{plan}");
}

#[tokio::test(start_paused = true)]
async fn without_the_lock_two_runs_at_once_copy_nothing_twice() {
    let world = slow().await;
    let first = under_way(&world).await;
    // A program that knows no marker: it goes on when the lease is broken, and so does the first
    // until it notices.
    let marker = world.backup().container_client().blob_client("disk0.vhd.blobcopy");
    marker.break_lease().period(Duration::ZERO).await.expect("broken");
    let second = world.mirror().run().into_future();
    let (first, second) = tokio::join!(first.try_collect::<Vec<_>>(), second);
    first.expect_err("its lock was broken");
    second.expect("mirrored");
    assert_eq!(world.sim.copies().started(), 3);
    world.expect_equal(&taken(&world).await).await;
}
