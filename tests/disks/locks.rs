//! Two runs of one mirror.
#![allow(clippy::disallowed_methods, reason = "no time passes: it is paused")]

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use blobcopy::{
    LeaseState,
    disks::{Keep, LockWait, MirrorError, MirrorEvent, MirrorEvents, MirrorRoute, Prune},
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
    assert!(matches!(second[0], MirrorEvent::Waiting(_)), "{:?}", second[0]);
    let waits: Vec<u64> = second.iter().filter_map(waited).collect();
    assert!(waits.len() > 20, "three copies of ten minutes, and told each minute: {waits:?}");
    let Some(MirrorEvent::Ended(report)) = second.last() else { panic!("{second:?}") };
    assert_eq!((report.hops.len(), report.present), (0, 3));
    assert_eq!(world.sim.copies().started(), 3);
}

/// For how many seconds a run has waited, if the event says so.
fn waited(event: &MirrorEvent) -> Option<u64> {
    match event {
        MirrorEvent::Waiting(wait) => {
            assert_eq!(wait.marker, "disk0.vhd.blobcopy");
            Some(wait.waited.as_secs())
        }
        _ => None,
    }
}

#[tokio::test(start_paused = true)]
async fn a_wait_has_a_limit_and_is_told_each_minute() {
    let world = slow().await;
    let first = under_way(&world).await;
    let limit = Duration::from_secs(150);
    let mirror = world.mirror().lock_timeout(limit);
    let mut told = Vec::new();
    let begun = Instant::now();
    let run = mirror.run().on_event(|event| told.extend(waited(event))).into_future();
    let busy = async { (run.await, begun.elapsed()) };
    // The first goes on meanwhile.
    let (_, (ended, after)) = tokio::join!(first.try_collect::<Vec<_>>(), busy);
    assert!(matches!(ended, Err(MirrorError::Busy { .. })), "{ended:?}");
    assert_eq!(after, limit);
    assert_eq!(told, [0, 60, 120]);
}

#[tokio::test(start_paused = true)]
async fn a_prune_waits_as_its_mirror_does_and_tells_it_too() {
    let world = slow().await;
    let keep = Keep::new().last(1);
    let ended = |first: MirrorEvents, prune: Prune| async {
        tokio::join!(first.try_collect::<Vec<_>>(), prune.into_future()).1
    };
    let told = Arc::new(Mutex::new(Vec::new()));
    let telling = || {
        let told = Arc::clone(&told);
        move |wait: &LockWait| told.lock().expect("alone").push(wait.to_string())
    };
    let limit = Duration::from_secs(70);
    let mut first = under_way(&world).await;
    // A copy is there, so that there is something to thin out.
    while !matches!(first.next().await, Some(Ok(MirrorEvent::HopDone(_)))) {}
    let prune = world.mirror().backup().prune(&keep).lock_timeout(limit).on_lock_wait(telling());
    let busy = ended(first, prune).await;
    assert!(matches!(busy, Err(MirrorError::Busy { .. })), "{busy:?}");
    let words = "another run holds the lease on disk0.vhd.blobcopy: waiting for it";
    let both = [words.to_owned(), format!("{words} for 1 min")];
    assert_eq!(told.lock().expect("alone").split_off(0), both);

    let world = slow().await;
    let mut first = under_way(&world).await;
    while !matches!(first.next().await, Some(Ok(MirrorEvent::HopDone(_)))) {}
    let mirror = world.mirror().lock_timeout(Duration::from_secs(3600)).on_lock_wait(telling());
    let pruned = ended(first, mirror.prune(&keep)).await.expect("it waited long enough");
    assert_eq!((pruned.deleted.len(), pruned.kept), (2, 1), "{pruned}");
    assert!(told.lock().expect("alone").len() > 10);
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
