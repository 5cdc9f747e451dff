//! Plans hold.

use std::time::Duration;

use blobcopy::jobs::{CopyJob, Outcome, Route};
use blobcopy_simulator::Op;

use super::world::World;

/// The requests that a plan counts.
fn planned_ones(world: &World) -> u64 {
    let all = world.counted();
    all.into_values().sum()
}

#[tokio::test(start_paused = true)]
async fn without_faults_the_log_equals_the_plan() {
    let world = World::new().await;
    world.fill((0..30).map(|number| format!("{number:02}"))).await;
    world.far_to().block_blob_client("extra").upload("x").await.expect("uploaded");
    world.later();
    let new = world.near.container_client("new");
    for job in [
        world.near_job(),
        world.far_job().delete_extra(1),
        CopyJob::new(&world.from(), &new).create(true),
        CopyJob::new(&world.from(), &world.far_to()).destination_prefix("moved/").move_sources(),
    ] {
        let plan = job.plan().await.expect("a plan");
        assert_eq!((plan.blobs, plan.copies()), (30, 30), "{plan}");
        world.counted();
        let report = job.run().await.expect("a report");
        assert_eq!(report.failures, 0);
        assert_eq!(planned_ones(&world), plan.requests(), "{plan}");
        assert_eq!(report.bytes, plan.bytes());
    }
}

#[tokio::test(start_paused = true)]
async fn a_plan_writes_nothing_and_tells_the_time() {
    let world = World::new().await;
    world.fill(["a", "b", "c.blobcopy"]).await;
    world.from().blob_client("a").create_snapshot().await.expect("taken");
    let leased = world.from().blob_client("b");
    leased.acquire_infinite_lease().await.expect("leased");
    let plan = world.near_job().plan().await.expect("a plan");
    let route = plan.routes[&Route::ServiceCopy];
    assert_eq!((route.blobs, route.requests, route.bytes), (2, 2, 2));
    assert_eq!(plan.left.values().sum::<u64>(), 1);
    assert_eq!(plan.requests(), 4);
    assert_eq!(plan.time(2, 1), Duration::from_secs(2));
    assert_eq!(plan.time(1, 100), Duration::from_secs(4));
    assert_eq!((world.sim.count(Op::CopyBlob), world.sim.copies().started()), (0, 0));
    let text = plan.to_string();
    assert!(text.contains("2 to copy by Copy Blob: 2 requests, 2 bytes"), "{text}");
    assert!(text.contains("1 skipped: marker of a disk mirror"), "{text}");
    assert!(text.contains("not kept: 1 snapshots, 1 leases"), "{text}");
    let read: blobcopy::jobs::Plan =
        serde_json::from_str(&serde_json::to_string(&plan).expect("json")).expect("json");
    assert_eq!(read, plan);
    let report = world.near_job().run().planned(&plan).await.expect("a report");
    assert_eq!(report.count(Outcome::Copied), 2);
}
