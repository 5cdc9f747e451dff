//! Runs that die at any of their requests, and those after them.
#![allow(clippy::disallowed_methods, reason = "no time passes: it is paused")]

use std::time::Duration;

use blobcopy::disks::MirrorRoute;

use super::{
    gate::{DEATHS, Gate},
    world::World,
};

/// More requests than a run of three snapshots needs.
const MOST: u64 = 200;

async fn die_anywhere(route: MirrorRoute) -> u64 {
    let mut died = 0;
    for death in DEATHS {
        for passes in 0.. {
            assert!(passes < MOST, "it never ends");
            let world = World::of(|builder| builder.copy_duration(Duration::from_secs(5))).await;
            let taken = world.grown(3).await;
            let gate = Gate::new(&world.sim, passes, death);
            let first = world.through(gate.clone()).route(route).run().await;
            if !gate.is_shut() {
                first.expect("nothing was torn");
                break;
            }
            died += 1;
            let again = world.mirror().wait_for_lock().run().await;
            again.unwrap_or_else(|error| panic!("after {passes}, {death:?}: {error}"));
            // What the first had sent lands now at the latest.
            tokio::time::sleep(Duration::from_secs(200)).await;
            world.expect_equal(&taken).await;

            // Nothing that was torn spoils the next.
            let taken = [taken, vec![world.grow(3).await]].concat();
            let last = world.mirror().wait_for_lock().run().await;
            last.unwrap_or_else(|error| panic!("after {passes}, {death:?}: {error}"));
            world.expect_equal(&taken).await;
        }
    }
    died
}

#[tokio::test(start_paused = true)]
async fn incremental_runs_that_die_at_any_request_are_gone_on_with() {
    let died = die_anywhere(MirrorRoute::Incremental).await;
    assert!(died > 30, "only {died} died");
}

#[tokio::test(start_paused = true)]
async fn runs_by_ranges_that_die_at_any_request_are_gone_on_with() {
    let died = die_anywhere(MirrorRoute::Ranges).await;
    assert!(died > 60, "only {died} died");
}
