//! An account that takes 2,000 requests a second, and no more.

use std::{sync::Arc, time::Duration};

use blobcopy::jobs::{Budget, CopyJob, Outcome};

use super::{
    line::{Book, Line},
    seeds::number,
    world::World,
};

const PER_SECOND: u32 = 2_000;

/// What part of the rate a job uses, and how many of its requests were throttled.
async fn used(by_service: bool, far: bool, blobs: usize) -> (f64, u64) {
    let world = World::of(|builder| builder.keep_requests(0)).await;
    world.sim.fill("near", "source", blobs, 100);
    world.later();
    let budget = match by_service {
        true => {
            // Each account, as the service does.
            for account in ["near", "far"] {
                world.sim.faults().on_any().account(account).throttle(PER_SECOND);
            }
            Budget::new()
        }
        false => Budget::new().requests_per_second(PER_SECOND),
    };
    let line = Line::new(&world.sim, 7, &Arc::new(Book::default())).way(Duration::from_millis(8));
    let (from, near_to, far_to) = world.through(line);
    let job = CopyJob::new(&from, if far { &far_to } else { &near_to });
    let report = job.budget(&budget).run().await.expect("a report");
    assert_eq!((report.count(Outcome::Copied), report.failures), (blobs as u64, 0), "{report:?}");
    let done = budget.requests() - budget.throttled();
    // The service lets those of a second come at once, if it was idle before.
    let saved = if by_service { 1.0 } else { 0.0 };
    let rate = done as f64 / (report.elapsed.as_secs_f64() + saved);
    (rate / f64::from(PER_SECOND), budget.throttled())
}

#[tokio::test(start_paused = true)]
async fn nine_tenths_of_a_throttled_account_are_used_and_no_blob_fails() {
    fastrand::seed(7);
    let seconds = number("BLOBCOPY_THROTTLED_SECONDS").unwrap_or(8);
    let blobs = usize::try_from(seconds * u64::from(PER_SECOND)).expect("few");
    for (by_service, far, blobs) in [(true, true, blobs), (false, false, blobs / 4)] {
        let (part, throttled) = used(by_service, far, blobs).await;
        println!("{part:.3} of the rate; {throttled} requests throttled");
        assert!((0.9..1.02).contains(&part), "{part:.3} of the rate, by service {by_service}");
        assert_eq!(by_service, throttled > 0, "{throttled} throttled");
    }
}
