//! What a comparison tells.

use blobcopy::jobs::Difference;
use blobcopy_simulator::Op;

use super::world::World;

#[tokio::test(start_paused = true)]
async fn a_blob_that_cannot_be_compared_does_not_end_the_rest() {
    let world = World::new().await;
    world.fill(["a", "b", "c"]).await;
    world.later();
    let job = world.far_job().concurrency(1);
    job.run().await.expect("a report");
    world.sim.faults().on(Op::PutBlockFromUrl).times(1).answer(400, "InvalidInput");
    let mut found = Vec::new();
    let check = job.check().content(true).on_difference(|line| found.push(line.to_string()));
    let report = check.await.expect("compared");
    assert_eq!((report.same, report.different), (2, 1), "{report:?}");
    let line = &report.differences[0];
    assert_eq!((line.difference, &*line.name), (Difference::Unverifiable, "a"));
    let reason = line.reason.as_deref().expect("a reason");
    assert!(reason.contains("InvalidInput"), "{reason}");
    assert_eq!(found, [format!("content cannot be compared: a ({reason})")]);
}
